// What is wrong with the YAML, in our words. The parser's own messages quote the text around the error, which may be a private
// key in a Secret, so only its error code is used.
import type { ErrorCode } from "yaml";

interface SyntaxText {
  readonly message: string;
  readonly hint?: string;
}

const quoteIt = 'Put the text in quotes: "*.example.com", "@x", "a: b".';

const texts: Partial<Record<ErrorCode, SyntaxText>> = {
  BAD_ALIAS: { message: "an alias needs a name after the `*`", hint: quoteIt },
  ALIAS_PROPS: { message: "an alias may not have an anchor or a tag" },
  BAD_DIRECTIVE: { message: "malformed `%` directive" },
  BAD_DQ_ESCAPE: {
    message: "unknown escape in a double-quoted text",
    hint: "Use single quotes where backslashes are meant literally, such as in a regex.",
  },
  BAD_INDENT: { message: "wrong indentation", hint: "Entries of one list or map must start in the same column." },
  BAD_SCALAR_START: { message: "a text without quotes may not start with this character", hint: quoteIt },
  BLOCK_AS_IMPLICIT_KEY: {
    message: "a map or a list cannot start here",
    hint: "Is there a second `: ` on this line, or is the next line indented too far? Put texts with `: ` in quotes.",
  },
  BLOCK_IN_FLOW: { message: "a list or map by indentation cannot stand inside `[ ]` or `{ }`" },
  MISSING_CHAR: {
    message: "a character is missing: a closing quote or bracket, a comma, a colon or a space",
    hint: "Look for an unclosed quote or bracket above this place.",
  },
  MULTILINE_IMPLICIT_KEY: {
    message: "a key must stand on one line and end with a colon",
    hint: "Is there a colon missing, or is the line above indented too far?",
  },
  MULTIPLE_DOCS: { message: "documents must be divided by a line `---`" },
  TAB_AS_INDENT: { message: "a tab cannot indent YAML", hint: "Use spaces." },
  TAG_RESOLVE_FAILED: { message: "unknown tag", hint: "Remove the `!` tag, or put the text in quotes." },
  UNEXPECTED_TOKEN: {
    message: "this cannot stand here",
    hint: "Is the line above indented differently, or is a quote or bracket unclosed?",
  },
};

/** The message and hint for an error code of the YAML parser. Never quotes the source. */
export function describeSyntaxError(code: ErrorCode): SyntaxText {
  return texts[code] ?? { message: `malformed YAML (${code.toLowerCase().replaceAll("_", " ")})` };
}
