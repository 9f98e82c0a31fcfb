// /upload: reads a body of any size and answers its length and digest, so a test can prove that nothing was lost.
import { createHash } from "node:crypto";
import { bodyChunks, sendJson } from "../exchange.ts";
import type { Exchange } from "../exchange.ts";

export async function answerUpload(exchange: Exchange): Promise<void> {
  const digest = createHash("sha256");
  let bytes = 0;
  for await (const chunk of bodyChunks(exchange)) {
    digest.update(chunk);
    bytes += chunk.length;
  }
  sendJson(exchange, { bytes, sha256: digest.digest("hex") });
}
