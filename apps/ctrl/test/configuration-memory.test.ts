import type { SourceText } from "@sluice/core/model";
import { defaultCompileOptions } from "@sluice/core";
import { type EncodedTable, encodeTable } from "@sluice/core/wire";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readConfiguration } from "../src/compile/configuration.ts";
import { ConfigurationMemory } from "../src/compile/configuration-memory.ts";
import type { StoredText } from "../src/compile/stored-document.ts";
import { anyEdit, slots, toTexts } from "./support/configuration-edits.ts";

const { gateway, engine, alpn } = defaultCompileOptions;

async function read(texts: readonly SourceText[], stored: readonly StoredText[], memory = new ConfigurationMemory()) {
  const request = {
    texts,
    stored,
    defaultNamespace: "default",
    baseDirectory: "/",
    gateway: { gateway, engine, alpn },
  };
  const { table, diagnostics, declared } = await readConfiguration(request, memory);
  const encoded: EncodedTable | null = table === null ? null : encodeTable(table, memory.encoding);
  return { diagnostics, declared, table: encoded };
}

const start = fc.tuple(...slots.map(({ text }) => text)).map((texts) => {
  return new Map(slots.slice(0, -1).map(({ name }, index) => [name, texts[index] ?? ""]));
});

describe("a compilation with memory", () => {
  it("gives byte for byte what one without gives, after any edits", async () => {
    await fc.assert(
      fc.asyncProperty(start, fc.array(anyEdit, { minLength: 1, maxLength: 8 }), async (initial, edits) => {
        const memory = new ConfigurationMemory();
        const documents = new Map(initial);
        await read(toTexts(documents), [], memory);
        for (const { name, text } of edits) {
          if (text === null) documents.delete(name);
          else documents.set(name, text);
          const texts = toTexts(documents);
          expect(await read(texts, [], memory)).toEqual(await read(texts, []));
        }
      }),
      { numRuns: 60 },
    );
  });
});
