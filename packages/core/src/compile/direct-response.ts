// Answers without an upstream (istio-semantics 1.2, directResponse).
import { Buffer } from "node:buffer";
import type { DirectResponseAction, HttpDirectResponse } from "../model/index.ts";

export function buildDirectResponse({ status, body = {} }: HttpDirectResponse): DirectResponseAction {
  const bytes = body.bytes === undefined ? Buffer.from(body.string ?? "") : Buffer.from(body.bytes, "base64");
  return { kind: "direct-response", status, body: Uint8Array.from(bytes) };
}
