import { describe, expect, it } from "vitest";
import { controlSocketPath, defaultSettings, resolveSettings } from "../src/settings/index.ts";

describe("paths of sluice.yaml", () => {
  it("are relative to the base directory, and absolute ones stay", () => {
    const settings = { ...defaultSettings(), state: { directory: "/var/lib/sluice" } };
    const resolved = resolveSettings(settings, "/etc/sluice");
    expect(resolved.config.directory).toBe("/etc/sluice/config");
    expect(resolved.state.directory).toBe("/var/lib/sluice");
    expect(resolved.edge.accessLog.path).toBe("/dev/stdout");
  });

  it("leave a switched-off access log switched off", () => {
    const settings = defaultSettings();
    settings.edge.accessLog.path = "off";
    expect(resolveSettings(settings, "/etc/sluice").edge.accessLog.path).toBe("off");
  });

  it("put the control socket beside the state", () => {
    expect(controlSocketPath("/var/lib/sluice", "/tmp")).toBe("/var/lib/sluice/ctrl.sock");
  });

  it("put the control socket of a deep state directory elsewhere, one for each", () => {
    const deep = `/srv/${"é".repeat(60)}`;
    const path = controlSocketPath(deep, "/tmp");
    expect(path).toMatch(/^\/tmp\/sluice-[0-9a-f]{16}\.sock$/);
    expect(controlSocketPath(deep, "/tmp")).toBe(path);
    expect(controlSocketPath(`${deep}2`, "/tmp")).not.toBe(path);
  });
});
