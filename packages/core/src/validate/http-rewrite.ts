// `rewrite` of a rule (istio-semantics 1.2 and 2.11).
import { RE2JS } from "re2js";
import type { FieldPath, HttpRewrite } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import type { Reporter } from "./reporter.ts";
import { checkRegex } from "./string-match.ts";
import { checkAuthorityText, checkPathText, checkUriText } from "./uri-texts.ts";

export function checkRewrite(rewrite: HttpRewrite, path: FieldPath, reporter: Reporter): void {
  const { uri = "", authority = "", uriRegexRewrite } = rewrite;
  if (uri + authority === "" && uriRegexRewrite === undefined) {
    const message = "a rewrite needs a uri, uriRegexRewrite or authority";
    reporter.error({ code: "missing-field", path, message });
  }
  if (uri !== "" && uriRegexRewrite !== undefined) {
    const message = "only one of uri and uriRegexRewrite may be set";
    reporter.error({ code: "conflicting-fields", path: [...path, "uriRegexRewrite"], message });
  }
  checkPathText(uri, [...path, "uri"], reporter);
  checkAuthorityText(authority, [...path, "authority"], reporter);
  if (uriRegexRewrite !== undefined) checkRegexRewrite(uriRegexRewrite, [...path, "uriRegexRewrite"], reporter);
}

function checkRegexRewrite(
  { match, rewrite }: NonNullable<HttpRewrite["uriRegexRewrite"]>,
  path: FieldPath,
  reporter: Reporter,
): void {
  if (rewrite === "") {
    const message = "the rewrite must not be empty";
    reporter.error({ code: "empty-value", path: [...path, "rewrite"], message });
  }
  checkUriText(rewrite, [...path, "rewrite"], reporter);
  if (!checkRegex(match, [...path, "match"], reporter)) return;
  const groupCount = RE2JS.compile(match).groupCount();
  for (const [reference, what = ""] of rewrite.matchAll(/\\(.?)/g)) {
    if (what === "\\" || (/\d/.test(what) && Number(what) <= groupCount)) continue;
    const message = /\d/.test(what)
      ? `${reference} is no group of ${quote(match)}, which has ${groupCount}`
      : `${quote(reference)} means nothing in a rewrite`;
    const hint = "\\0 is the whole match, \\1 its first group, \\\\ a backslash.";
    reporter.error({ code: "invalid-rewrite", path: [...path, "rewrite"], message, hint });
    return;
  }
}
