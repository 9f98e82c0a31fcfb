import { describe, expect, it } from "vitest";
import { parseHeaderFormat } from "../../src/model/index.ts";

const text = (value: string) => ({ kind: "text", text: value });
const header = (of: string, name: string, alternative = "", maxLength = 0) => ({
  kind: "header",
  of,
  name,
  alternative,
  maxLength,
});

describe("a header value", () => {
  it.each([
    ["", [text("")]],
    ["plain", [text("plain")]],
    ["100%%", [text("100%")]],
    ["%%%PROTOCOL%", [text("%"), { kind: "operator", name: "PROTOCOL" }]],
    ["%REQ(X-User)%", [header("request", "x-user")]],
    ["a-%REQ(:Authority?x-b):12%-z", [text("a-"), header("request", ":authority", "x-b", 12), text("-z")]],
    ["%RESP(x)%%RESP(y)%", [header("response", "x"), header("response", "y")]],
  ])("%j is read into its pieces", (value, expected) => {
    expect(parseHeaderFormat(value)).toEqual(expected);
  });

  it.each([
    ["50%", { kind: "open", at: 2 }],
    ["%PROTOCOL", { kind: "open", at: 0 }],
    ["%VIRTUAL_CLUSTER_NAME%", { kind: "unknown-operator", name: "VIRTUAL_CLUSTER_NAME" }],
    ["%DYNAMIC_METADATA(a:b)%", { kind: "unknown-operator", name: "DYNAMIC_METADATA" }],
    ["%REQ%", { kind: "malformed", text: "REQ" }],
    ["%REQ()%", { kind: "malformed", text: "REQ()" }],
    ["%REQ(a b)%", { kind: "malformed", text: "REQ(a b)" }],
    ["%PROTOCOL(x)%", { kind: "malformed", text: "PROTOCOL(x)" }],
    ["%protocol%", { kind: "malformed", text: "protocol" }],
    ["50% of %PROTOCOL%", { kind: "malformed", text: " of " }],
  ])("%j is refused", (value, problem) => {
    expect(parseHeaderFormat(value)).toEqual(problem);
  });
});
