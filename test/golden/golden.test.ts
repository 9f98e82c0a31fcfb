// The golden corpus: every `*.yaml` beside this file is a case. Above the line of dashes the configuration, below it what comes of
// it. `UPDATE_GOLDEN=1` writes what comes of it now; read the difference before you commit it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { formatCase, readCase } from "./case.ts";
import { printCase } from "./print-case.ts";

const directory = new URL("./", import.meta.url);
const names = readdirSync(directory).filter((name) => name.endsWith(".yaml"));
const isUpdating = process.env["UPDATE_GOLDEN"] === "1";

describe("golden corpus", () => {
  test("has its cases beside it", () => {
    expect(names.length).toBeGreaterThan(25);
  });

  test.each(names)("%s", (name) => {
    const url = new URL(name, directory);
    const golden = readCase(name, readFileSync(url, "utf8"));
    const actual = printCase(golden);
    if (isUpdating) writeFileSync(url, formatCase(golden, actual));
    else expect(actual).toBe(golden.expected);
  });
});
