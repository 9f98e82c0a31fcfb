import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createAuthority } from "@sluice/demo/certificates";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { brokenGateway, plainGateway, tlsGateway } from "./support/configurations.ts";
import { runSluice, startSluice } from "./support/run-sluice.ts";
import { temporaryDirectory, type TemporaryDirectory } from "./support/temporary-directory.ts";

async function directoryWith(files: Readonly<Record<string, string>>): Promise<TemporaryDirectory> {
  const directory = await temporaryDirectory();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(directory.at(name, ".."), { recursive: true });
    await writeFile(directory.at(name), text);
  }
  return directory;
}

describe("sluice validate", () => {
  it("is silent on stdout and exits 0 for what is fine", async () => {
    await using directory = await directoryWith({ "config/a.yaml": plainGateway(8080) });
    expect(await runSluice(["validate", "-f", "config"], { cwd: directory.path })).toEqual({
      code: 0,
      stdout: "",
      stderr: "valid: 0 errors, 0 warnings\n",
    });
  });

  it("prints a line a finding, with its place, and exits 1 for errors", async () => {
    await using directory = await directoryWith({ "config/a.yaml": brokenGateway });
    const { code, stdout, stderr } = await runSluice(["validate", "-f", "config"], { cwd: directory.path });
    expect(code).toBe(1);
    expect(stdout).toBe(
      'config/a.yaml:5:3 error unknown-field spec.selektor: there is no field "selektor" here. Did you mean "selector"?\n',
    );
    expect(stderr).toBe("invalid: 1 error, 0 warnings\n");
  });

  it("prints JSON with every key in its place", async () => {
    await using directory = await directoryWith({ "a.yaml": brokenGateway });
    const { code, stdout } = await runSluice(["validate", "-f", "a.yaml", "-o", "json"], { cwd: directory.path });
    expect(code).toBe(1);
    const answer = JSON.parse(stdout) as { valid: boolean; diagnostics: object[] };
    expect(answer.valid).toBe(false);
    expect(Object.keys(answer.diagnostics[0] as object)).toEqual([
      "severity",
      "code",
      "message",
      "hint",
      "file",
      "line",
      "column",
      "path",
      "resource",
    ]);
    expect(answer.diagnostics).toMatchObject([
      { file: "a.yaml", line: 5, path: "spec.selektor", resource: "Gateway default/shop" },
    ]);
  });

  it("reads standard input, several files after one -f, and -f again", async () => {
    await using directory = await directoryWith({
      "a.yaml": brokenGateway,
      "b.yaml": brokenGateway.replaceAll("name: shop", "name: b"),
      "c.yaml": brokenGateway.replaceAll("name: shop", "name: c"),
    });
    const args = ["validate", "-f", "a.yaml", "b.yaml", "-f", "c.yaml", "-f", "-", "-o", "json"];
    const input = brokenGateway.replaceAll("name: shop", "name: d").replaceAll("name: backend", "name: other");
    const { stdout } = await runSluice(args, { cwd: directory.path, input });
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { file: string; code: string }[] };
    const files = diagnostics.filter(({ code }) => code === "unknown-field").map(({ file }) => file);
    expect(files).toEqual(["a.yaml", "b.yaml", "c.yaml", "stdin"]);
  });

  it("reads a file once that is named twice", async () => {
    await using directory = await directoryWith({ "config/a.yaml": plainGateway(8080) });
    const result = await runSluice(["validate", "-f", "config/a.yaml", "-f", "config"], { cwd: directory.path });
    expect(result).toMatchObject({ code: 0, stdout: "" });
  });

  it("puts documents without a namespace where --namespace says", async () => {
    await using directory = await directoryWith({ "a.yaml": brokenGateway.replace(", namespace: default", "") });
    const args = ["validate", "-f", "a.yaml", "--namespace", "shop", "-o", "json"];
    const { stdout } = await runSluice(args, { cwd: directory.path });
    expect(JSON.parse(stdout)).toMatchObject({ diagnostics: [{ resource: "Gateway shop/shop" }] });
  });

  it("says so, and exits 0, when there is nothing in what it read", async () => {
    await using directory = await directoryWith({ "a.yaml": "# later\n" });
    const result = await runSluice(["validate", "-f", "a.yaml"], { cwd: directory.path });
    expect(result).toMatchObject({ code: 0, stderr: "no resources found\nvalid: 0 errors, 0 warnings\n" });
  });

  it.each([
    ["no -f", ["validate"], "required option '-f, --file <path...>' not specified"],
    ["an unknown option", ["validate", "-f", "a.yaml", "--colour"], "unknown option '--colour'"],
    ["an unknown format", ["validate", "-f", "a.yaml", "-o", "xml"], "Allowed choices are text, json"],
    [
      "a file that is not there",
      ["validate", "-f", "none.yaml"],
      "error: none.yaml cannot be read: no such file or directory",
    ],
    [
      "a directory without configuration",
      ["validate", "-f", "empty"],
      "error: empty holds no .yaml, .yml or .json file",
    ],
    ["bytes that are no text", ["validate", "-f", "bytes.yaml"], "error: bytes.yaml is not valid UTF-8"],
    ["an unknown command", ["valdiate"], "unknown command 'valdiate'"],
  ])("exits 2 for %s", async (_name, args, message) => {
    await using directory = await directoryWith({ "a.yaml": plainGateway(8080), "empty/README": "" });
    await writeFile(directory.at("bytes.yaml"), Buffer.from([0xc3, 0x28]));
    const { code, stdout, stderr } = await runSluice(args, { cwd: directory.path });
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it("shows no control characters of the configuration", async () => {
    await using directory = await directoryWith({
      "a.yaml": `kind: "Gate\\e[31mway"\nmetadata: { name: "\\e]0;title\\a" }\n`,
    });
    const { stdout } = await runSluice(["validate", "-f", "a.yaml"], { cwd: directory.path });
    expect(stdout).not.toBe("");
    expect(stdout.split("").filter((character) => character < " " && character !== "\n")).toEqual([]);
  });
});

describe("sluice pc", () => {
  it.each([
    ["listener", "0.0.0.0_8080"],
    ["route", "http.8080"],
    ["cluster", "outbound|8000||backend.example"],
  ])("prints %s resources, all or one by name", async (resource, name) => {
    await using directory = await directoryWith({ "config/a.yaml": plainGateway(8080) });
    const { path: cwd } = directory;
    const json = await runSluice(["pc", resource, "-f", "config", "-o", "json"], { cwd });
    expect(json.code).toBe(0);
    expect(JSON.parse(json.stdout)).toMatchObject([{ name }]);
    expect((await runSluice(["pc", resource, name, "-f", "config", "-o", "json"], { cwd })).stdout).toBe(json.stdout);
    const yaml = await runSluice(["pc", resource, "-f", "config", "-o", "yaml"], { cwd });
    expect(parse(yaml.stdout)).toEqual(JSON.parse(json.stdout));
    const table = await runSluice(["pc", resource, "-f", "config"], { cwd });
    expect(table.stdout.split("\n").length).toBeGreaterThan(1);
  });

  it("prints nothing, and says so, for a name that is not there", async () => {
    await using directory = await directoryWith({ "a.yaml": plainGateway(8080) });
    const result = await runSluice(["pc", "route", "nothing", "-f", "a.yaml", "-o", "json"], { cwd: directory.path });
    expect(result).toEqual({ code: 0, stdout: "[]\n", stderr: 'no route named "nothing"\n' });
  });

  it("takes NAME after -f too", async () => {
    await using directory = await directoryWith({ "a.yaml": plainGateway(8080), "b.yaml": tlsGateway("a", "b") });
    const { stdout } = await runSluice(["pc", "route", "-f", "a.yaml", "b.yaml", "http.8080", "-o", "json"], {
      cwd: directory.path,
    });
    expect(JSON.parse(stdout)).toMatchObject([{ name: "http.8080" }]);
    const missing = await runSluice(["pc", "route", "-f", "a.yaml", "missing.yaml"], { cwd: directory.path });
    expect(missing.code).toBe(2);
  });

  it("prints the dialect of Istio 1.0 as JSON, and not as a table", async () => {
    await using directory = await directoryWith({ "a.yaml": plainGateway(8080) });
    const { path: cwd } = directory;
    const args = ["pc", "listener", "-f", "a.yaml"];
    const modern = await runSluice([...args, "-o", "json"], { cwd });
    const old = await runSluice([...args, "--dialect", "istio-1.0"], { cwd });
    expect(JSON.parse(old.stdout)).toHaveLength(1);
    expect(old.stdout).not.toBe(modern.stdout);
    expect((await runSluice([...args, "--dialect", "istio-1.0", "-o", "table"], { cwd })).code).toBe(2);
  });

  it("compiles for the gateway with the labels that --labels says", async () => {
    await using directory = await directoryWith({ "a.yaml": plainGateway(8080) });
    const args = ["pc", "listener", "-f", "a.yaml", "-o", "json", "--labels"];
    expect((await runSluice([...args, "istio=other"], { cwd: directory.path })).stdout).toBe("[]\n");
    const labels = "app=x,istio=ingressgateway";
    expect(JSON.parse((await runSluice([...args, labels], { cwd: directory.path })).stdout)).toHaveLength(1);
    expect((await runSluice([...args, "istio"], { cwd: directory.path })).code).toBe(2);
  });

  it("reads the certificate files that exist, relative to the working directory, and prints no key", async () => {
    const authority = await createAuthority({ commonName: "test" });
    const { chainPem, keyPem } = await authority.issue({ commonName: "shop", dnsNames: ["shop.example"] });
    const files = { "a.yaml": tlsGateway("tls.crt", "tls.key"), "tls.crt": chainPem, "tls.key": keyPem };
    await using directory = await directoryWith(files);
    const { stdout, stderr } = await runSluice(["pc", "secret", "-f", "a.yaml", "-o", "json"], { cwd: directory.path });
    expect(JSON.parse(stdout)).toMatchObject([{ name: "file-cert:tls.crt~tls.key", state: "ACTIVE" }]);
    expect(stdout).toContain("[redacted]");
    expect(stdout).not.toContain(Buffer.from(keyPem).toString("base64").slice(0, 40));
    expect(stderr).toBe("");
  });

  it("prints errors on stderr and exits 1", async () => {
    await using directory = await directoryWith({ "a.yaml": brokenGateway });
    const { code, stdout, stderr } = await runSluice(["pc", "route", "-f", "a.yaml"], { cwd: directory.path });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("a.yaml:5:3 error unknown-field");
  });

  it.each([
    ["no input", ["pc", "route"], "-f PATH, or --ctrl URL"],
    ["no resource", ["pc"], "missing required argument 'resource'"],
    [
      "an unknown resource",
      ["pc", "routes", "-f", "a.yaml"],
      "Allowed choices are listener, route, cluster, endpoint, secret",
    ],
    ["both inputs", ["pc", "route", "-f", "a.yaml", "--ctrl", "http://127.0.0.1:1"], "not both"],
    [
      "labels of a running gateway",
      ["pc", "route", "--ctrl", "http://127.0.0.1:1", "--labels", "a=b"],
      "--labels is for -f",
    ],
    [
      "a control plane that does not answer",
      ["pc", "route", "--ctrl", "http://127.0.0.1:1"],
      "cannot ask the control plane",
    ],
    ["a URL that is none", ["pc", "route", "--ctrl", "nowhere"], "is no URL"],
  ])("exits 2 for %s", async (_name, args, message) => {
    await using directory = await directoryWith({ "a.yaml": plainGateway(8080) });
    const { code, stdout, stderr } = await runSluice(args, { cwd: directory.path });
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it("is silent when its reader goes away", async () => {
    await using directory = await directoryWith({ "a.yaml": plainGateway(8080) });
    const child = startSluice(["pc", "listener", "-f", "a.yaml", "-o", "json"], { cwd: directory.path });
    child.stdout?.destroy();
    let stderr = "";
    child.stderr?.on("data", (chunk) => (stderr += String(chunk)));
    expect(await once(child, "close")).toEqual([0, null]);
    expect(stderr).toBe("");
  });
});

describe("sluice explain", () => {
  const question = ["--port", "8080", "--host", "shop.example"];

  it("answers as text and as JSON, and exits 0 also when the answer is that nobody serves it", async () => {
    await using directory = await directoryWith({ "a.yaml": plainGateway(8080, "/cart") });
    const { path: cwd } = directory;
    const args = ["explain", "-f", "a.yaml", ...question];
    const text = await runSluice([...args, "--path", "/cart?x=1"], { cwd });
    expect(text).toMatchObject({ code: 0, stderr: "" });
    expect(text.stdout).toMatch(/^forward to outbound\|8000\|\|backend\.example\n/);
    const json = await runSluice([...args, "--path", "/other", "-o", "json"], { cwd });
    expect(json.code).toBe(0);
    expect(JSON.parse(json.stdout)).toMatchObject({ error: "no-route", virtualHost: "shop.example:8080" });
  });

  it("passes headers and the method on", async () => {
    const withHeader = plainGateway(8080).replace(
      'prefix: "/" }',
      'prefix: "/" }, headers: { x-a: { exact: "b: c" } }, method: { exact: PUT }',
    );
    await using directory = await directoryWith({ "a.yaml": withHeader });
    const args = ["explain", "-f", "a.yaml", ...question, "-o", "json"];
    const without = await runSluice(args, { cwd: directory.path });
    expect(JSON.parse(without.stdout)).toMatchObject({ error: "no-route" });
    const extra = ["--method", "PUT", "-H", "other: 1", "-H", "X-A: b: c"];
    const result = await runSluice([...args, ...extra], { cwd: directory.path });
    expect(JSON.parse(result.stdout)).toMatchObject({ error: null, action: "forward" });
  });

  it("takes https for granted when a server name is given", async () => {
    await using directory = await directoryWith({ "a.yaml": plainGateway(8080) });
    const args = ["explain", "-f", "a.yaml", ...question, "--sni", "shop.example", "-o", "json"];
    expect(JSON.parse((await runSluice(args, { cwd: directory.path })).stdout)).toMatchObject({
      error: "tls-on-plaintext",
    });
  });

  it.each([
    ["a port that is none", ["--port", "http", "--host", "a"], "A port is a number"],
    ["no host", ["--port", "80"], "required option '--host <host>'"],
    ["a header without colon", ["--port", "80", "--host", "a", "-H", "x"], 'Write it as "name: value"'],
    [
      "a client certificate that is not there",
      ["--port", "80", "--host", "a", "--client-cert", "none.crt"],
      "none.crt cannot be read",
    ],
  ])("exits 2 for %s", async (_name, args, message) => {
    await using directory = await directoryWith({ "a.yaml": plainGateway(8080) });
    const { code, stderr } = await runSluice(["explain", "-f", "a.yaml", ...args], { cwd: directory.path });
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});

describe("sluice", () => {
  it.each([
    [["--help"]],
    [["validate", "--help"]],
    [["pc", "--help"]],
    [["explain", "--help"]],
    [["up", "--help"]],
    [["--version"]],
  ])("%j prints on stdout and exits 0", async (args) => {
    await using directory = await temporaryDirectory();
    const { code, stdout, stderr } = await runSluice(args, { cwd: directory.path });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).not.toBe("");
  });
});
