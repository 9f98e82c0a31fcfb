// Header values with Envoy's command operators: `%REQ(x-user?x-account):8%`. Read once, when a configuration is checked or a route made
// ready; an operator that nobody here can fill in is refused then, not sent as text.

/** A piece of a value: text as it is, or an operator to be filled in for each request. */
export type HeaderFormatPart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "operator"; readonly name: PlainOperator }
  | {
      readonly kind: "header";
      readonly of: "request" | "response";
      /** Lower case; `:authority` and the other pseudo headers are possible. */
      readonly name: string;
      /** Asked for where the first is absent; empty: none. */
      readonly alternative: string;
      /** 0: all of it. */
      readonly maxLength: number;
    };

export const plainOperators = [
  "DOWNSTREAM_REMOTE_ADDRESS",
  "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
  "DOWNSTREAM_REMOTE_PORT",
  "DOWNSTREAM_LOCAL_ADDRESS",
  "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
  "DOWNSTREAM_LOCAL_PORT",
  "DOWNSTREAM_PEER_SUBJECT",
  "DOWNSTREAM_PEER_URI_SAN",
  "DOWNSTREAM_TLS_VERSION",
  "PROTOCOL",
  "START_TIME",
  "HOSTNAME",
  "UPSTREAM_HOST",
  "UPSTREAM_CLUSTER",
  "ROUTE_NAME",
] as const;

export type PlainOperator = (typeof plainOperators)[number];

export type HeaderFormatProblem =
  | { readonly kind: "open"; readonly at: number }
  | { readonly kind: "unknown-operator"; readonly name: string }
  | { readonly kind: "malformed"; readonly text: string };

/** `NAME`, `NAME(arguments)` or `NAME(arguments):length`. */
const operatorForm = /^([A-Z][A-Z0-9_]*)(?:\(([^()%]*)\))?(?::(\d{1,5}))?$/;

/** `name` or `name?alternative`. */
const headerForm = /^(:?[!#$&'*+.^_`|~0-9A-Za-z-]+)(?:\?(:?[!#$&'*+.^_`|~0-9A-Za-z-]+))?$/;

/** The pieces of a value, or what is wrong with it. `%%` is a percent sign. */
export function parseHeaderFormat(value: string): readonly HeaderFormatPart[] | HeaderFormatProblem {
  const parts: HeaderFormatPart[] = [];
  let text = "";
  let start = 0;
  for (let percent = value.indexOf("%"); percent >= 0; percent = value.indexOf("%", start)) {
    text += value.slice(start, percent);
    const end = value.indexOf("%", percent + 1);
    if (end < 0) return { kind: "open", at: percent };
    start = end + 1;
    if (end === percent + 1) {
      text += "%";
      continue;
    }
    const part = parseOperator(value.slice(percent + 1, end));
    if (isFormatProblem(part)) return part;
    if (text !== "") parts.push({ kind: "text", text });
    text = "";
    parts.push(part);
  }
  text += value.slice(start);
  return text === "" && parts.length > 0 ? parts : [...parts, { kind: "text", text }];
}

export function isFormatProblem(
  result: HeaderFormatPart | readonly HeaderFormatPart[] | HeaderFormatProblem,
): result is HeaderFormatProblem {
  return (
    "kind" in result && (result.kind === "open" || result.kind === "unknown-operator" || result.kind === "malformed")
  );
}

function parseOperator(text: string): HeaderFormatPart | HeaderFormatProblem {
  const [, name, argument, length] = operatorForm.exec(text) ?? [];
  if (name === undefined) return { kind: "malformed", text };
  const plain = plainOperators.find((known) => known === name);
  if (plain !== undefined) {
    return argument === undefined && length === undefined
      ? { kind: "operator", name: plain }
      : { kind: "malformed", text };
  }
  if (name !== "REQ" && name !== "RESP") return { kind: "unknown-operator", name };
  const [, header, alternative = ""] = headerForm.exec(argument ?? "") ?? [];
  if (header === undefined) return { kind: "malformed", text };
  return {
    kind: "header",
    of: name === "REQ" ? "request" : "response",
    name: header.toLowerCase(),
    alternative: alternative.toLowerCase(),
    maxLength: Number(length ?? 0),
  };
}
