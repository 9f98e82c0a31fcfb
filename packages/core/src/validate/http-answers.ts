// Answers that Sluice makes itself: redirects and direct responses (istio-semantics 1.2 and 2.5).
import { Buffer } from "node:buffer";
import type { FieldPath, HttpDirectResponse, HttpMatchRequest, HttpRedirect } from "../model/index.ts";
import { isBase64 } from "./key-values.ts";
import type { Reporter } from "./reporter.ts";
import { checkAuthorityText, checkPathText, checkUriText } from "./uri-texts.ts";

/** Istio compiles these only; with any other code Envoy would refuse the whole route configuration. */
const redirectCodes: readonly number[] = [301, 302, 303, 307, 308];

export function checkRedirect(
  redirect: HttpRedirect,
  path: FieldPath,
  matches: readonly HttpMatchRequest[],
  reporter: Reporter,
): void {
  const { uri = "", prefixRewrite = "", authority = "", port, derivePort, scheme, redirectCode = 0 } = redirect;
  if (
    uri + prefixRewrite + authority === "" &&
    port === undefined &&
    derivePort === undefined &&
    scheme === undefined
  ) {
    const message = "a redirect needs a uri, prefixRewrite, authority, scheme, port or derivePort";
    reporter.error({
      code: "missing-field",
      path,
      message,
      hint: "Without one it would lead back to where it came from.",
    });
  }
  if (uri !== "" && prefixRewrite !== "") conflict([...path, "prefixRewrite"], "uri and prefixRewrite", reporter);
  if (port !== undefined && derivePort !== undefined)
    conflict([...path, "derivePort"], "port and derivePort", reporter);
  if (redirectCode !== 0 && !redirectCodes.includes(redirectCode)) {
    const message = `${redirectCode} is not a code of a redirect`;
    const hint = `Write one of ${redirectCodes.join(", ")}.`;
    reporter.error({ code: "invalid-value", path: [...path, "redirectCode"], message, hint });
  }
  checkUriText(redirect.uri, [...path, "uri"], reporter);
  checkPathText(redirect.prefixRewrite, [...path, "prefixRewrite"], reporter);
  checkAuthorityText(redirect.authority, [...path, "authority"], reporter);
  if (prefixRewrite !== "" && matches.some(({ uri: match }) => match !== undefined && match.prefix === undefined)) {
    const message = "prefixRewrite replaces what a prefix match took, and not every match of this rule is one";
    const hint = "Match uri.prefix only, or write uri instead.";
    reporter.error({ code: "conflicting-fields", path: [...path, "prefixRewrite"], message, hint });
  }
}

function conflict(path: FieldPath, fields: string, reporter: Reporter): void {
  reporter.error({ code: "conflicting-fields", path, message: `only one of ${fields} may be set` });
}

const kibibyte = 1024;
const mostBytes = 1024 * kibibyte;
const manyBytes = 100 * kibibyte;

export function checkDirectResponse(
  { status, body = {} }: HttpDirectResponse,
  path: FieldPath,
  reporter: Reporter,
): void {
  checkStatus(status, [...path, "status"], reporter);
  const bodyPath = [...path, "body"];
  if (body.string !== undefined && body.bytes !== undefined) {
    conflict([...bodyPath, "bytes"], "string and bytes", reporter);
  } else if (body.bytes !== undefined && !isBase64(body.bytes)) {
    const hint = "Encode it, or write it as it is under string.";
    reporter.error({ code: "invalid-base64", path: [...bodyPath, "bytes"], message: "the value is not base64", hint });
  } else
    checkSize(
      Buffer.byteLength(body.bytes ?? body.string ?? "", body.bytes === undefined ? "utf8" : "base64"),
      bodyPath,
      reporter,
    );
}

// Every worker of every machine holds the body, and every push of the virtual host carries it.
function checkSize(byteCount: number, path: FieldPath, reporter: Reporter): void {
  if (byteCount <= manyBytes) return;
  const message = `the body has ${Math.ceil(byteCount / kibibyte)} KiB`;
  if (byteCount > mostBytes) {
    reporter.error({
      code: "out-of-range",
      path,
      message: `${message}; it may have 1024`,
      hint: "Serve it from an upstream.",
    });
  } else {
    const hint = "Every push carries it to every edge; an upstream serves it better.";
    reporter.warning({ code: "large-body", path, message, hint });
  }
}

/** Statuses that end an exchange. */
export function checkStatus(status: number, path: FieldPath, reporter: Reporter): void {
  if (status >= 200 && status <= 599) return;
  reporter.error({ code: "out-of-range", path, message: `a status lies from 200 to 599; found ${status}` });
}
