// /status/{code}: answers that status with an empty body; 418 answers the teapot.
import type { Exchange } from "../exchange.ts";
import { parseInteger } from "../parameters.ts";

// 135 bytes with the leading and the final newline: clients and transcripts know this body by its length.
const teapot = Buffer.from(
  [
    "",
    "    -=[ teapot ]=-",
    "",
    "       _...._",
    "     .'  _ _ `.",
    '    | ."` ^ `". _,',
    '    \\_;`"---"`|//',
    "      |       ;/",
    "      \\_     _/",
    '        `"""`',
    "",
  ].join("\n"),
);
const teapotHeaders = { "x-more-info": "http://tools.ietf.org/html/rfc2324", "content-length": teapot.length };

/** 1xx is refused: those are interim answers and never end an exchange. */
export function answerStatus({ response }: Exchange, code: string): void {
  const status = parseInteger(code, { name: "status code", min: 200, max: 599 });
  if (status === 418) {
    response.writeHead(418, teapotHeaders).end(teapot);
    return;
  }
  // 204 and 304 have no body by definition (RFC 9110, 8.6 forbids a length on 204).
  if (status === 204 || status === 304) response.writeHead(status).end();
  else response.writeHead(status, { "content-length": 0 }).end();
}
