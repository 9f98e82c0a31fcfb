import { defaultSettings } from "@sluice/core/settings";
import { expect, test } from "vitest";
import { parseCommandLine } from "../../src/primary/command-line.ts";
import { overrideSettings, UsageError } from "../../src/primary/settings.ts";

const defaults = defaultSettings();
const ctrlTls = { certificate: "/a", privateKey: "/b", ca: "/c" };
const withTls = { ...defaults, edge: { ...defaults.edge, ctrlTls } };

test("--id and --ctrl go before the settings of the file", () => {
  const { config, overrides } = parseCommandLine(["--id", "edge-7", "--ctrl", "a:1", "--ctrl", "b:2", "--config", "x"]);
  expect(config).toBe("x");
  const { node, edge } = overrideSettings(withTls, overrides);
  expect([node.id, edge.ctrl]).toEqual(["edge-7", ["a:1", "b:2"]]);
  expect(overrideSettings(withTls, parseCommandLine([]).overrides)).toEqual(withTls);
});

test.each([
  [["--ctrl", "a:1"], "edge.ctrlTls is required"],
  [["--ctrl", "http://a:1"], 'edge.ctrl.0 must be "host:port"'],
  [["--id", ""], "node.id"],
  [["--port", "1"], "--port"],
])("%j is wrong usage, and says why", (args, message) => {
  const run = () => overrideSettings(defaults, parseCommandLine(args).overrides);
  expect(run).toThrow(UsageError);
  expect(run).toThrow(message);
});
