import type { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { defaultCompileOptions } from "@sluice/core";
import { encodeTable, manifestVersion } from "@sluice/core/wire";
import { readConfiguration } from "../src/compile/configuration.ts";
import { Compiler } from "../src/compile/compiler.ts";
import { diffInputs, HeldInputs, type SentInputs } from "../src/compile/inputs-delta.ts";
import { packTable, unpackTable } from "../src/compile/table-transfer.ts";
import { plainGateway } from "./support/configurations.ts";

const { gateway, engine, alpn } = defaultCompileOptions;

function stored(name: string, text: string) {
  return { kind: "ConfigMap", namespace: "default", name, text } as const;
}

function sent(
  id: number,
  files: Readonly<Record<string, string>>,
  pushed: Readonly<Record<string, string>>,
): SentInputs {
  const texts = Object.entries(files).map(([file, text]) => ({ file, text }));
  return { id, texts, stored: Object.entries(pushed).map(([name, text]) => stored(name, text)) };
}

describe("what the compile thread is told", () => {
  const first = sent(1, { "a.yaml": "a", "b.yaml": "b" }, { one: "1", two: "2" });
  const second = sent(2, { "b.yaml": "b", "c.yaml": "c" }, { two: "two", three: "3" });

  it("is what changed, and leads to the same inputs as everything", () => {
    const delta = diffInputs(first, second);
    expect(delta.changedTexts).toEqual([{ file: "c.yaml", text: "c" }]);
    expect(delta.changedStored.map(({ name }) => name)).toEqual(["two", "three"]);
    expect(delta.removedStored).toEqual(["ConfigMap default/one"]);
    const [changed, whole] = [new HeldInputs(), new HeldInputs()];
    expect(changed.apply(diffInputs(null, first)) && changed.apply(delta)).toBe(true);
    expect(whole.apply(diffInputs(null, second))).toBe(true);
    expect(changed.inputs).toEqual(whole.inputs);
    expect(changed.digest).toBe(whole.digest);
  });

  it("is nothing of the files when only a pushed resource changed, and their array stays the same", () => {
    const held = new HeldInputs();
    held.apply(diffInputs(null, first));
    const { texts } = held.inputs;
    const delta = diffInputs(first, { ...first, id: 2, stored: second.stored });
    expect(delta).toMatchObject({ files: null, changedTexts: [] });
    held.apply(delta);
    expect(held.inputs.texts).toBe(texts);
  });

  it("is of no use to a thread that never had what it changes", () => {
    const held = new HeldInputs();
    expect(held.apply(diffInputs(first, second))).toBe(false);
    held.apply(diffInputs(null, { ...first, id: 7 }));
    expect(held.apply(diffInputs(first, second))).toBe(false);
  });

  it("digests the same whatever order things were pushed in, and another whenever a text is another", () => {
    const digestOf = (inputs: SentInputs) => {
      const held = new HeldInputs();
      held.apply(diffInputs(null, inputs));
      return held.digest;
    };
    expect(digestOf({ ...first, stored: first.stored.toReversed() })).toBe(digestOf(first));
    expect(digestOf(sent(1, { "a.yaml": "a", "b.yaml": "b" }, { one: "2", two: "1" }))).not.toBe(digestOf(first));
  });
});

describe("a table on its way from the thread", () => {
  async function tableOf(text: string) {
    const texts = [{ file: "a.yaml", text }];
    const request = { texts, defaultNamespace: "default", baseDirectory: "/", gateway: { gateway, engine, alpn } };
    const { table } = await readConfiguration(request);
    if (table === null) throw new Error("the configuration has errors");
    return encodeTable(table);
  }

  it("carries the bytes of what changed, and arrives whole", async () => {
    const base = await tableOf(plainGateway(8080));
    const next = await tableOf(plainGateway(8080).replace("127.0.0.1", "127.0.0.2"));
    const packed = packTable(next, base);
    expect(packed.put.map(({ type }) => type)).toEqual(["cluster"]);
    expect(packed.bytes.byteLength).toBeLessThan(packTable(next).bytes.byteLength);
    expect(unpackTable(packed, base)).toEqual(next);
    expect(manifestVersion(unpackTable(packed, base).manifest)).toBe(next.version);
  });

  it("that starts from nothing does not mix with what the receiver holds", async () => {
    const next = await tableOf(plainGateway(8081));
    expect(unpackTable(packTable(next), await tableOf(plainGateway(8080)))).toEqual(next);
  });
});

describe("the compiler", () => {
  const options = { defaultNamespace: "default", baseDirectory: "/", gateway: { gateway, engine, alpn } };
  const request = (port: number) => ({ texts: [{ file: "a.yaml", text: plainGateway(port) }], stored: [] });
  const compiler = () => new Compiler({ ...options, runningTable: () => null });

  it("gives after changes and errors what a new one gives", async () => {
    const [old, fresh] = [compiler(), compiler()];
    try {
      await old.compile(request(8080));
      await old.compile({ texts: [{ file: "a.yaml", text: "kind: [" }] });
      await old.compile(request(8081));
      expect(await old.compile(request(8082))).toEqual(await fresh.compile(request(8082)));
      // The same once more: nothing is sent, everything is there.
      expect(await old.compile(request(8082))).toEqual(await fresh.compile(request(8082)));
    } finally {
      await Promise.all([old.close(), fresh.close()]);
    }
  });

  it("starts over with a new thread after one died", async () => {
    const threads: Worker[] = [];
    const note = (thread: Worker) => void threads.push(thread);
    process.on("worker", note);
    const [old, fresh] = [compiler(), compiler()];
    try {
      await old.compile(request(8080));
      expect(threads).toHaveLength(1);
      await threads[0]?.terminate();
      expect(await old.compile(request(8081))).toEqual(await fresh.compile(request(8081)));
    } finally {
      process.off("worker", note);
      await Promise.all([old.close(), fresh.close()]);
    }
  });
});
