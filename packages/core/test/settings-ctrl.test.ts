import { describe, expect, it } from "vitest";
import { parseSettings, resolveSettings } from "../src/settings/index.ts";

const problems = (ctrl: string) =>
  parseSettings("sluice.yaml", `ctrl: ${ctrl}`).diagnostics.map(({ path, message }) => `${path}: ${message}`);

describe("the settings of the API", () => {
  it("take tokens by file or digest, one of the two", () => {
    const digest = "0".repeat(64);
    expect(
      problems(`{ tokens: [{ name: a, role: read, sha256: "${digest}" }, { name: b, role: write, tokenFile: t }] }`),
    ).toEqual([]);
    for (const wrong of ["", `, tokenFile: t, sha256: "${digest}"`]) {
      expect(problems(`{ tokens: [{ name: a, role: read${wrong} }] }`)).toEqual([
        "ctrl.tokens[0]: takes either tokenFile or sha256",
      ]);
    }
    expect(problems("{ tokens: [{ name: a, role: admin, tokenFile: t }] }")[0]).toContain("ctrl.tokens[0].role");
    expect(problems('{ tokens: [{ name: a, role: read, sha256: "hunter2" }] }')[0]).toContain("64 hex digits");
  });

  it("take a client CA only with the names that it lets in", () => {
    const tls = "certificate: a, privateKey: b";
    expect(problems(`{ tls: { ${tls} } }`)).toEqual([]);
    expect(problems(`{ tls: { ${tls}, clientCa: c, clients: [{ name: CN=x, role: read }] } }`)).toEqual([]);
    for (const half of ["clientCa: c", "clients: [{ name: CN=x, role: read }]"]) {
      expect(problems(`{ tls: { ${tls}, ${half} } }`)).toEqual([
        "ctrl.tls: takes clientCa and clients together, or neither",
      ]);
    }
  });

  it("have paths relative to the file, and a directory that is off stays off", () => {
    const text = `config: { directory: "off" }
ctrl: { tls: { certificate: tls.crt, privateKey: /abs/tls.key }, tokens: [{ name: a, role: read, tokenFile: token }] }`;
    const { settings } = parseSettings("sluice.yaml", text);
    if (settings === null) throw new Error("no settings");
    const { config, ctrl } = resolveSettings(settings, "/etc/sluice");
    expect(config.directory).toBe("off");
    expect(ctrl.tls).toMatchObject({ certificate: "/etc/sluice/tls.crt", privateKey: "/abs/tls.key" });
    expect(ctrl.tokens[0]?.tokenFile).toBe("/etc/sluice/token");
  });
});
