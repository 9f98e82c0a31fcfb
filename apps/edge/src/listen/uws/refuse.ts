// Answers to requests that never become an exchange. The connection closes: its framing cannot be trusted.
import { type FailureCode, failures } from "../../exchange/failure.ts";
import { httpDate } from "../http-date.ts";
import type { HttpResponse } from "./native.ts";
import { formatHead } from "./response-head.ts";

const serverHeaders: readonly string[] = ["server", "sluice"];

/** Called inside the engine's request callback, before anything was forwarded. */
export function refuseRequest(res: HttpResponse, code: FailureCode): void {
  // The response stays pending for the engine, see exchange.ts: what is pipelined behind this request is never dispatched,
  // and the connection closes without this answer, which would have been in the way of the engine's own parsing.
  let isGone = false;
  res.onAborted(() => {
    isGone = true;
  });
  res.writeStatus(
    `${formatHead(failures[code].status, serverHeaders).text}\r\nconnection: close\r\ndate: ${httpDate()}\r\ncontent-length: 0\r\n`,
  );
  setImmediate(() => {
    if (!isGone) res.close();
  });
}
