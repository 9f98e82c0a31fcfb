// Parts of URIs in a configuration: what requests are rewritten to, and where redirects lead. What cannot stand in a request line or in
// `location` is refused here, so that no request finds out.
import { type FieldPath, normalizePath } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import type { Reporter } from "./reporter.ts";

/** ASCII that is printed, without space: RFC 3986 has less, and nothing else. */
const visible = /^[\x21-\x7e]*$/;

/** True when the text may be part of a URI. */
export function checkUriText(text: string | undefined, path: FieldPath, reporter: Reporter): boolean {
  if (text === undefined || visible.test(text)) return true;
  const message = `${quote(text)} holds a space or another character that a URI cannot have`;
  reporter.error({ code: "invalid-uri", path, message, hint: "Write it percent-encoded: %20 for a space." });
  return false;
}

/** A host, perhaps with a port, of a request or a redirect. */
export function checkAuthorityText(text: string | undefined, path: FieldPath, reporter: Reporter): void {
  if (text === undefined || visible.test(text)) return;
  const message = `${quote(text)} holds a space or another character that a host cannot have`;
  reporter.error({ code: "invalid-host", path, message, hint: "Write the name, with :port where it has one." });
}

/** What takes the place of a path, or of its beginning. Dot segments would lead the upstream elsewhere than they say. */
export function checkPathText(text: string | undefined, path: FieldPath, reporter: Reporter): void {
  if (text === undefined || text === "" || !checkUriText(text, path, reporter)) return;
  const [written = ""] = text.split("?", 1);
  const full = written.startsWith("/") ? written : `/${written}`;
  const normal = normalizePath(full);
  if (normal !== null && countSlashes(normal) === countSlashes(full)) return;
  const message = `${quote(text)} is no path: it holds dot segments, # or a broken escape`;
  reporter.error({ code: "invalid-uri", path, message, hint: "Write the path that is meant, from / on." });
}

function countSlashes(path: string): number {
  return path.split("/").length;
}
