// The command line as CONTRACT.md promises it: exit statuses, what goes to which stream, and every key of what scripts read.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createAuthority } from "@sluice/demo/certificates";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { runSluice } from "../support/command.ts";
import { documents, gatewayResource, httpServer, httpsServer, secret, service, tlsSecret } from "../support/config.ts";
import { root } from "../support/gateway.ts";

const istio = "networking.istio.io/v1";
const authority = await createAuthority({ commonName: "story ca" });
const certificate = await authority.issue({ commonName: "tls", dnsNames: ["tls.example", "mutual.example"] });
const client = await authority.issue({ commonName: "client", dnsNames: ["client.example"], client: true });
const stranger = await (await createAuthority({ commonName: "other ca" })).issue({ commonName: "x", client: true });

const to = (host: string, weight: number) => ({ destination: { host, port: { number: 8000 } }, weight });
const site = documents(
  gatewayResource("web", [
    httpServer(["shop.example", "empty.example"]),
    httpServer(["secure.example"], { name: "http-secure", tls: { httpsRedirect: true } }),
    httpsServer(["tls.example"], { mode: "SIMPLE", credentialName: "tls" }),
    httpsServer(["mutual.example"], { mode: "MUTUAL", credentialName: "mutual" }),
    httpServer(["nobody.example"], { port: 8888 }),
  ]),
  {
    apiVersion: istio,
    kind: "VirtualService",
    metadata: { name: "shop" },
    spec: {
      hosts: ["shop.example"],
      gateways: ["web"],
      http: [
        { name: "cart", match: [{ uri: { prefix: "/cart" } }], route: [to("a", 25), to("b", 75)] },
        { match: [{ headers: { "x-who": { exact: "me" } }, method: { exact: "PUT" } }], route: [to("a", 1)] },
      ],
    },
  },
  {
    apiVersion: istio,
    kind: "VirtualService",
    metadata: { name: "tls" },
    spec: { hosts: ["tls.example", "mutual.example"], gateways: ["web"], http: [{ route: [to("a", 1)] }] },
  },
  // The gateway's own Service: what is declared as 80 listens on 8080.
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "ingress", namespace: "istio-system" },
    spec: { selector: { istio: "ingressgateway" }, ports: [{ name: "http", port: 80, targetPort: 8080 }] },
  },
  ...service("a", 18_001),
  ...service("b", 18_002),
  tlsSecret("tls", certificate),
  tlsSecret("mutual", certificate),
  secret("mutual-cacert", { cacert: authority.certificatePem }),
);

const broken = stringify({
  apiVersion: istio,
  kind: "Gateway",
  metadata: { name: "broken" },
  spec: { selektor: {}, servers: [httpServer(["*"])] },
});
const odd = `kind: Gateway
metadata: { name: bare }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: shop }
---
apiVersion: v1
kind: List
items:
  - apiVersion: networking.istio.io/v1beta1
    kind: VirtualService
    metadata: { name: listed }
    spec: { hosts: ["*"], gateways: [bare], http: [{ route: [{ destination: { host: a.example, port: { number: 80 } } }] }] }
`;
const dangling = documents(
  gatewayResource("dangling", [
    httpsServer(["a.example"], { mode: "SIMPLE", credentialName: "missing" }),
    httpsServer(["b.example"], { mode: "SIMPLE", serverCertificate: "none.crt", privateKey: "none.key" }),
  ]),
  {
    apiVersion: istio,
    kind: "VirtualService",
    metadata: { name: "dangling" },
    spec: { hosts: ["a.example"], gateways: ["dangling", "nowhere"], http: [{ route: [to("nobody", 1)] }] },
  },
);

const files: Readonly<Record<string, string>> = {
  "site/site.yaml": site,
  "broken.yaml": broken,
  "odd.yaml": odd,
  "dangling.yaml": dangling,
  "web.json": JSON.stringify({ ...gatewayResource("json", [httpServer(["*"], { port: 81 })]) }),
  "empty/README": "",
  "not-yaml.yaml": "a: [",
  "client.crt": client.chainPem,
  "stranger.crt": stranger.chainPem,
};
let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-contract-"));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
});

afterAll(() => rm(directory, { recursive: true }));

const run = (args: readonly string[], options: { input?: string; env?: Record<string, string> } = {}) =>
  runSluice(args, { cwd: directory, ...options });

/** A command that must succeed; its standard output as JSON. */
async function json(args: readonly string[], options: { input?: string; env?: Record<string, string> } = {}) {
  const { code, stdout, stderr } = await run([...args, "-o", "json"], options);
  if (code !== 0) throw new Error(`exit ${code}: ${stderr}`);
  return JSON.parse(stdout) as unknown;
}

interface Validation {
  readonly valid: boolean;
  readonly diagnostics: readonly Record<string, unknown>[];
}

describe("sluice validate", () => {
  test.concurrent("0 for what is fine, warnings included; 1 for errors; 2 for what cannot be read", async () => {
    const codes = await Promise.all(
      [["site"], ["odd.yaml"], ["dangling.yaml"], ["broken.yaml"], ["not-yaml.yaml"], ["none.yaml"], ["empty"]].map(
        async ([path = ""]) => (await run(["validate", "-f", path])).code,
      ),
    );
    expect(codes).toEqual([0, 0, 0, 1, 1, 2, 2]);
  });

  test.concurrent("prints exactly the keys of the contract, in its order", async () => {
    const { code, stdout, stderr } = await run(["validate", "-f", "broken.yaml", "-o", "json"]);
    const answer = JSON.parse(stdout) as Validation;
    expect([code, stderr]).toEqual([1, ""]);
    expect(Object.keys(answer)).toEqual(["valid", "diagnostics"]);
    expect(answer.valid).toBe(false);
    const keys = ["severity", "code", "message", "hint", "file", "line", "column", "path", "resource"];
    for (const diagnostic of answer.diagnostics) {
      expect(Object.keys(diagnostic)).toEqual(keys.filter((key) => key !== "hint" || "hint" in diagnostic));
      expect(diagnostic["code"]).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    }
    const place = {
      file: "broken.yaml",
      line: 6,
      column: 3,
      path: "spec.selektor",
      resource: "Gateway default/broken",
    };
    expect(answer.diagnostics).toContainEqual(expect.objectContaining({ severity: "error", ...place }));
  });

  test.concurrent("warns of a missing apiVersion and of unknown kinds, by file and line, and expands lists", async () => {
    const { valid, diagnostics } = (await json(["validate", "-f", "odd.yaml"])) as Validation;
    expect(valid).toBe(true);
    expect(diagnostics.map(({ severity, code, file, line }) => [severity, code, file, line])).toEqual(
      expect.arrayContaining([
        ["warning", "missing-api-version", "odd.yaml", 1],
        ["warning", "unknown-kind", "odd.yaml", 8],
      ]),
    );
    expect(await json(["pc", "route", "-f", "odd.yaml"])).toMatchObject([
      { virtualHosts: [{ routes: [{ route: { cluster: "outbound|80||a.example" } }] }] },
    ]);
  });

  test.concurrent("what is referred to and not there is a warning", async () => {
    const { valid, diagnostics } = (await json(["validate", "-f", "dangling.yaml"])) as Validation;
    expect(valid).toBe(true);
    expect(diagnostics.map(({ severity, code }) => `${String(severity)} ${String(code)}`).toSorted()).toEqual([
      "warning missing-certificate-file",
      "warning missing-secret",
      "warning unknown-gateway",
      "warning unknown-host",
    ]);
    expect(await json(["pc", "listener", "-f", "dangling.yaml"])).toMatchObject([{ name: "0.0.0.0_443" }]);
  });

  test.concurrent("-f takes files, directories, JSON and standard input, again and again", async () => {
    const args = ["pc", "listener", "-f", "site", "-f", "web.json", "-f", "-"];
    const input = stringify(gatewayResource("stdin", [httpServer(["*"], { port: 82 })]));
    const listeners = (await json(args, { input })) as { name: string }[];
    expect(listeners.map(({ name }) => name)).toEqual([
      "0.0.0.0_443",
      "0.0.0.0_8080",
      "0.0.0.0_81",
      "0.0.0.0_82",
      "0.0.0.0_8888",
    ]);
  });

  test.concurrent("--namespace is where documents without one are", async () => {
    const { stdout } = await run(["validate", "-f", "broken.yaml", "--namespace", "shop", "-o", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({ diagnostics: [{ resource: "Gateway shop/broken" }] });
  });

  test.concurrent("text is a line a finding on standard output, and talk is on standard error", async () => {
    const { stdout, stderr } = await run(["validate", "-f", "dangling.yaml"]);
    expect(stdout.trimEnd().split("\n")).toHaveLength(4);
    for (const line of stdout.trimEnd().split("\n")) expect(line).toMatch(/^dangling\.yaml:\d+:\d+ warning [a-z-]+ /);
    expect(stderr).toBe("valid: 0 errors, 4 warnings\n");
  });
});

describe("sluice pc", () => {
  const kinds = ["listener", "route", "cluster", "endpoint", "secret"] as const;

  test.concurrent.each(kinds)("%s prints a table, JSON and YAML of the same, and one by name", async (kind) => {
    const args = ["pc", kind, "-f", "site"];
    const [all, yaml, table] = await Promise.all([
      json(args) as Promise<Record<string, unknown>[]>,
      run([...args, "-o", "yaml"]),
      run(args),
    ]);
    expect(all.length).toBeGreaterThan(1);
    expect(parse(yaml.stdout)).toEqual(all);
    expect(table.stdout.split("\n").length).toBeGreaterThan(all.length);
    const name = String(all[1]?.["name"] ?? all[1]?.["clusterName"]);
    expect(await json(["pc", kind, name, "-f", "site"])).toEqual([all[1]]);
  });

  test.concurrent("--labels are what selectors are matched against", async () => {
    expect(await json(["pc", "listener", "-f", "site", "--labels", "istio=other"])).toEqual([]);
    const listeners = await json(["pc", "listener", "-f", "site", "--labels", "istio=ingressgateway,tier=edge"]);
    expect(listeners).toHaveLength(3);
  });

  test.concurrent("secrets never show a key", async () => {
    const outputs = await Promise.all(
      ["json", "yaml", "table"].map((o) => run(["pc", "secret", "-f", "site", "-o", o])),
    );
    const [, keyLine = "missing"] = certificate.keyPem.split("\n");
    for (const { stdout, stderr } of outputs) {
      expect(stdout).toContain("tls");
      expect(stdout + stderr).not.toContain(keyLine);
      expect(stdout + stderr).not.toContain(Buffer.from(certificate.keyPem).toString("base64").slice(40, 80));
    }
  });

  test.concurrent("an error in the configuration is exit 1 and no data", async () => {
    const { code, stdout, stderr } = await run(["pc", "route", "-f", "broken.yaml", "-o", "json"]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("broken.yaml:6:3 error unknown-field");
  });

  const topologies = ["plain-http", "tls-redirect", "mutual-tls", "multi-host-http", "multi-host-tls"];

  test.concurrent.each(topologies)("--dialect istio-1.0 prints %s as the seed document does", async (topology) => {
    const golden = await readFile(join(root, `test/golden/seed-${topology}.yaml`), "utf8");
    const expected = parse(golden.split(/^-{5,}\n/m)[1] ?? "") as Record<string, unknown>;
    const print = async (resource: string) =>
      json(["pc", resource, "-f", join(root, "config/examples", topology), "--dialect", "istio-1.0"]);
    expect(await print("listener")).toEqual(expected["istio-1.0/listeners"]);
    expect(await print("route")).toEqual(expected["istio-1.0/routes"]);
  });
});

describe("sluice explain", () => {
  const explain = (...question: string[]) => json(["explain", "-f", "site", ...question]) as Promise<object>;
  const shop = ["--port", "8080", "--host", "shop.example"];
  const secure = ["--port", "443", "--host", "tls.example"];
  const mutual = ["--port", "443", "--host", "mutual.example", "--sni", "mutual.example"];

  test.concurrent("prints exactly the keys of the contract, in its order", async () => {
    const answer = await explain(...shop, "--path", "/cart/1?x=y");
    expect(Object.keys(answer)).toEqual([
      "listener",
      "filterChain",
      "routeConfig",
      "virtualHost",
      "route",
      "cluster",
      "clusters",
      "action",
      "status",
      "location",
      "error",
      "steps",
    ]);
    for (const step of (answer as { steps: object[] }).steps) {
      expect(Object.keys(step)).toEqual(["stage", "candidate", "result", "reason"]);
    }
    const [a, b] = ["a", "b"].map((name) => `outbound|8000||${name}.default.svc.cluster.local`);
    expect(answer).toMatchObject({
      listener: "0.0.0.0_8080",
      routeConfig: "http.8080",
      virtualHost: "shop.example:80",
      route: "cart",
      // The heaviest, though it stands last.
      cluster: b,
      clusters: [
        { name: a, weight: 25 },
        { name: b, weight: 75 },
      ],
      action: "forward",
      status: null,
      location: null,
      error: null,
    });
  });

  const cases: readonly [string, readonly string[], object][] = [
    ["no-listener", ["--port", "9999", "--host", "x"], { error: "no-listener", listener: null, status: null }],
    ["no-listener for a declared port", ["--port", "80", "--host", "shop.example"], { error: "no-listener" }],
    ["no-filter-chain", [...secure, "--sni", "other.example"], { error: "no-filter-chain", filterChain: null }],
    ["no-filter-chain without SNI", [...secure, "--scheme", "https"], { error: "no-filter-chain" }],
    ["tls-required", [...secure, "--scheme", "tcp"], { error: "tls-required" }],
    ["plaintext-on-tls", secure, { error: "plaintext-on-tls", status: null }],
    ["tls-on-plaintext", [...shop, "--scheme", "https"], { error: "tls-on-plaintext", status: null }],
    ["tls-on-plaintext by --sni", [...shop, "--sni", "shop.example"], { error: "tls-on-plaintext" }],
    [
      "no-virtual-host",
      ["--port", "8080", "--host", "x"],
      { error: "no-virtual-host", virtualHost: null, status: 404 },
    ],
    [
      "no-route",
      [...shop, "--path", "/x"],
      { error: "no-route", virtualHost: "shop.example:80", route: null, status: 404 },
    ],
    [
      "no-route where nothing is bound",
      ["--port", "8888", "--host", "nobody.example"],
      { error: "no-route", virtualHost: "blackhole:8888", status: 404 },
    ],
    ["client-certificate-required", mutual, { error: "client-certificate-required", status: null }],
    [
      "client-certificate-required for a stranger's",
      [...mutual, "--client-cert", "stranger.crt"],
      { error: "client-certificate-required" },
    ],
  ];

  test.concurrent.each(cases)("says %s, and exits 0", async (_, question, expected) => {
    expect(await explain(...question)).toMatchObject({ action: "reject", cluster: null, clusters: [], ...expected });
  });

  test.concurrent("a client certificate opens a MUTUAL server", async () => {
    const answer = await explain(...mutual, "--client-cert", "client.crt");
    expect(answer).toMatchObject({ action: "forward", error: null, virtualHost: "mutual.example:443", route: 0 });
  });

  test.concurrent("--sni alone means https", async () => {
    expect(await explain(...secure, "--sni", "tls.example")).toMatchObject({ action: "forward", error: null });
  });

  test.concurrent("a host of another server is 421", async () => {
    const question = ["--port", "443", "--host", "mutual.example", "--sni", "tls.example"];
    expect(await explain(...question)).toMatchObject({ action: "reject", status: 421, error: null });
  });

  test.concurrent("a redirect names its status and location", async () => {
    expect(await explain("--port", "8080", "--host", "secure.example", "--path", "/a?b")).toMatchObject({
      action: "redirect",
      status: 301,
      location: "https://secure.example/a?b",
      error: null,
    });
  });

  test.concurrent("method and headers count", async () => {
    const question = [...shop, "--path", "/x", "--method", "PUT", "-H", "X-Who: me", "-H", "X-Other: 1"];
    expect(await explain(...question)).toMatchObject({ action: "forward", route: 1 });
  });
});

describe("wrong usage", () => {
  const cases: readonly (readonly string[])[] = [
    [],
    ["nonsense"],
    ["validate"],
    ["validate", "-f", "site", "--colour"],
    ["validate", "-f", "site", "-o", "xml"],
    ["pc", "-f", "site"],
    ["pc", "routes", "-f", "site"],
    ["pc", "route"],
    ["pc", "route", "-f", "site", "--ctrl", "http://127.0.0.1:1"],
    ["pc", "route", "--ctrl", "http://127.0.0.1:1"],
    ["pc", "route", "-f", "site", "--dialect", "istio-2.0"],
    ["pc", "route", "-f", "site", "--labels", "istio"],
    ["explain", "-f", "site", "--host", "x"],
    ["explain", "-f", "site", "--port", "80"],
    ["explain", "-f", "site", "--port", "0", "--host", "x"],
    ["explain", "-f", "site", "--port", "80", "--host", "x", "--scheme", "ftp"],
    ["explain", "-f", "site", "--port", "80", "--host", "x", "-H", "novalue"],
    ["explain", "-f", "site", "--port", "80", "--host", "x", "--client-cert", "none.crt"],
    ["up", "--nonsense"],
    ["ctrl", "--nonsense"],
    ["edge", "--nonsense"],
    ["up", "--config", "none.yaml"],
    ["ctrl", "--config", "none.yaml"],
    ["edge", "--config", "none.yaml"],
  ];

  test.concurrent.each(cases.map((args) => ({ args, line: ["sluice", ...args].join(" ") })))(
    "$line: exit 2, nothing on standard output",
    async ({ args }) => {
      const { code, stdout, stderr } = await run(args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).not.toBe("");
      expect(stderr).not.toMatch(/\n {4}at /);
    },
  );

  test.concurrent.each(["up", "ctrl", "edge"])("an unknown setting stops %s with its place", async (command) => {
    const file = `${command}.yaml`;
    await writeFile(join(directory, file), "edge:\n  wrokers: 2\n");
    const { code, stdout, stderr } = await run([command, "--config", file]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(new RegExp(`${file}:2:\\d+ error unknown-setting edge\\.wrokers`));
    expect(stderr).toContain('Did you mean "workers"?');
  });
});

describe("help", () => {
  test.concurrent.each([
    { args: ["--help"], words: ["validate", "pc", "explain", "up", "ctrl", "edge"] },
    { args: ["validate", "--help"], words: ["--file", "--output", "--namespace", "Exit status"] },
    { args: ["pc", "--help"], words: ["--file", "--ctrl", "SLUICE_CTRL", "--dialect", "--labels", "--output"] },
    {
      args: ["explain", "--help"],
      words: ["--port", "--host", "--scheme", "--sni", "--path", "--method", "--header", "--client-cert", "--ctrl"],
    },
    { args: ["up", "--help"], words: ["--config", "SLUICE_CONFIG", "SIGTERM"] },
    { args: ["ctrl", "--help"], words: ["--config", "SLUICE_CONFIG", "SIGTERM"] },
    { args: ["edge", "--help"], words: ["--config", "SLUICE_CONFIG", "SIGTERM"] },
  ])("$args names what there is", async ({ args, words }) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const word of words) expect(stdout).toContain(word);
  });
});
