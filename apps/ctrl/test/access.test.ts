// Who may call the API: tokens, client certificates, and nobody that a web page sends.
import { createHash } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { once } from "node:events";
import { connect } from "node:net";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { buffer } from "node:stream/consumers";
import { createAuthority } from "@sluice/demo/certificates";
import { describe, expect, it } from "vitest";
import { plainGateway } from "./support/configurations.ts";
import { runSluice } from "./support/run-sluice.ts";
import { RunningPlane } from "./support/running-plane.ts";

const site = { "a.yaml": plainGateway(8080) };
const readToken = "read-token-0123456789";
const writeToken = "write-token-0123456789";
const configMap = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {}}";
const push = { method: "POST", body: configMap, headers: { "content-type": "application/yaml" } };

interface Answer {
  readonly status: number;
  readonly body: { readonly detail?: string; readonly [key: string]: unknown };
}

async function ask(url: string, options: RequestOptions & { readonly body?: string } = {}): Promise<Answer> {
  const { body, ...rest } = options;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const send = url.startsWith("https:") ? httpsRequest : httpRequest;
    send(url, rest, resolve).on("error", reject).end(body);
  });
  const text = (await buffer(response)).toString("utf8");
  return { status: response.statusCode ?? 0, body: JSON.parse(text) as Answer["body"] };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function planeWithTokens(): Promise<RunningPlane> {
  const plane = await RunningPlane.start(site, () => ({
    tokens: [
      { name: "dashboard", role: "read", sha256: createHash("sha256").update(readToken).digest("hex") },
      { name: "ci", role: "write", sha256: createHash("sha256").update(writeToken).digest("hex") },
    ],
  }));
  const until = async (): Promise<void> => {
    const { body } = await ask(`${plane.url}/v1/status`, { headers: bearer(readToken) });
    if (body["version"] === null) return await until();
  };
  await until();
  return plane;
}

describe("with tokens", () => {
  it("nobody gets in without one, and health is told to everybody", async () => {
    await using plane = await planeWithTokens();
    for (const headers of [
      {},
      bearer("wrong-token-0123456789"),
      { authorization: `Basic ${writeToken}` },
      bearer(""),
    ]) {
      for (const path of ["/v1/status", "/v1/resources", "/v1/events", "/v1/config_dump"]) {
        const { status, body } = await ask(plane.url + path, { headers });
        expect([path, status]).toEqual([path, 401]);
        expect(JSON.stringify(body)).not.toContain(writeToken);
      }
    }
    expect((await ask(`${plane.url}/v1/apply`, push)).status).toBe(401);
    expect((await ask(`${plane.url}/healthz/live`)).status).toBe(200);
  });

  it("a reader reads and tries, a writer writes, and is named as the author whatever it says", async () => {
    await using plane = await planeWithTokens();
    const as = (token: string, more = {}) => ({ ...push, headers: { ...push.headers, ...bearer(token), ...more } });
    expect((await ask(`${plane.url}/v1/status`, { headers: bearer(readToken) })).status).toBe(200);
    expect((await ask(`${plane.url}/v1/apply?dryRun=true`, as(readToken))).status).toBe(200);
    const refused = await ask(`${plane.url}/v1/apply`, as(readToken));
    expect([refused.status, refused.body.detail]).toEqual([403, "dashboard may only read"]);
    for (const [method, path] of [
      ["DELETE", "/v1/resources/ConfigMap/default/a"],
      ["PUT", "/v1/resources/ConfigMap/default/a"],
      ["POST", "/v1/rollback"],
    ] as const) {
      const { body, ...withoutBody } = as(readToken);
      const request = method === "DELETE" ? withoutBody : { ...withoutBody, body };
      expect((await ask(plane.url + path, { ...request, method })).status).toBe(403);
    }
    expect((await ask(`${plane.url}/v1/apply`, as(writeToken, { "x-sluice-author": "alice" }))).status).toBe(200);
    const versions = await ask(`${plane.url}/v1/versions/1`, { headers: bearer(readToken) });
    expect(versions.body["author"]).toBe("alice (ci)");
  });

  it("any Host header will do: a page that was led here by DNS rebinding has no token", async () => {
    await using plane = await planeWithTokens();
    const headers = { ...bearer(readToken), host: "ctrl.example" };
    expect((await ask(`${plane.url}/v1/status`, { headers })).status).toBe(200);
  });

  it("a file's token is taken again when the file changes", async () => {
    await using plane = await RunningPlane.start({ ...site, "token.txt": `${writeToken}\n` }, (directory) => ({
      tokens: [{ name: "ci", role: "write", tokenFile: directory.at("config/token.txt") }],
    }));
    const status = async (token: string) => (await ask(`${plane.url}/v1/status`, { headers: bearer(token) })).status;
    expect([await status(writeToken), await status(readToken)]).toEqual([200, 401]);
    await writeFile(plane.directory.at("config/token.txt"), readToken);
    expect([await status(readToken), await status(writeToken)]).toEqual([200, 401]);
    // One that is no token keeps the former.
    await writeFile(plane.directory.at("config/token.txt"), "short");
    expect([await status("short"), await status(readToken)]).toEqual([401, 200]);
    expect(plane.warnings.join()).toContain("must hold one token of 16 or more");
    // Nobody knows "other", so the files are looked at.
    await rm(plane.directory.at("config/token.txt"));
    expect([await status("other"), await status(readToken)]).toEqual([401, 401]);
    await writeFile(plane.directory.at("config/token.txt"), writeToken);
    expect([await status(readToken), await status(writeToken)]).toEqual([401, 200]);
  });

  it("the commands show theirs, from a file or SLUICE_TOKEN", async () => {
    await using plane = await planeWithTokens();
    await writeFile(plane.directory.at("token"), `${readToken}\n`);
    const cwd = plane.directory.path;
    const run = async (args: string[], env = {}) => await runSluice([...args, "--ctrl", plane.url], { cwd, env });
    expect(await run(["status"])).toMatchObject({ code: 2, stdout: "" });
    expect(await run(["status", "--token-file", "token"])).toMatchObject({ code: 0, stderr: "" });
    expect((await run(["pc", "listener"], { SLUICE_TOKEN: readToken })).code).toBe(0);
    expect((await run(["apply", "-f", "config"], { SLUICE_TOKEN: readToken })).stderr).toContain("may only read");
  });
});

describe("a body", () => {
  it("is not read of somebody who may not push", async () => {
    await using plane = await planeWithTokens();
    const { hostname, port } = new URL(plane.url);
    for (const [token, status] of [
      ["wrong-token-0123456789", 401],
      [readToken, 403],
    ] as const) {
      const socket = connect(Number(port), hostname);
      const headers = `host: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/yaml\r\ncontent-length: 1000000`;
      socket.write(`POST /v1/apply HTTP/1.1\r\n${headers}\r\n\r\n`);
      const [answer] = (await once(socket, "data")) as [Buffer];
      expect(answer.toString("latin1")).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      socket.destroy();
    }
  });
});

describe("with TLS", () => {
  it("a client certificate is a caller with the role of its name; another CA's is none", async () => {
    const [authority, other] = [
      await createAuthority({ commonName: "ca" }),
      await createAuthority({ commonName: "ca" }),
    ];
    const server = await authority.issue({ commonName: "ctrl", dnsNames: ["ctrl.example"] });
    const operator = await authority.issue({ client: true, commonName: "operator", dnsNames: ["operator.example"] });
    const reader = await authority.issue({ client: true, commonName: "viewer", dnsNames: ["viewer.example"] });
    const stranger = await authority.issue({ client: true, commonName: "stranger", dnsNames: ["stranger.example"] });
    const forged = await other.issue({ client: true, commonName: "operator", dnsNames: ["operator.example"] });
    await using plane = await RunningPlane.start(
      { ...site, "tls.crt": server.chainPem, "tls.key": server.keyPem, "ca.crt": authority.certificatePem },
      (directory) => ({
        tls: {
          certificate: directory.at("config/tls.crt"),
          privateKey: directory.at("config/tls.key"),
          clientCa: directory.at("config/ca.crt"),
          clients: [
            { name: "operator.example", role: "write" },
            { name: "CN=viewer", role: "read" },
          ],
        },
      }),
    );
    expect(plane.url).toMatch(/^https:/);
    const tls = { ca: authority.certificatePem, servername: "ctrl.example" };
    const as = ({ chainPem, keyPem }: typeof operator) => ({ ...tls, cert: chainPem, key: keyPem });
    const until = async (): Promise<void> => {
      const { body } = await ask(`${plane.url}/v1/status`, as(operator));
      if (body["version"] === null) return await until();
    };
    await until();
    expect((await ask(`${plane.url}/v1/apply`, { ...push, ...as(operator) })).status).toBe(200);
    expect((await ask(`${plane.url}/v1/versions/1`, as(reader))).body["author"]).toBe("operator.example");
    expect((await ask(`${plane.url}/v1/apply`, { ...push, ...as(reader) })).status).toBe(403);
    expect((await ask(`${plane.url}/v1/status`, as(stranger))).status).toBe(403);
    await expect(ask(`${plane.url}/v1/status`, as(forged))).rejects.toThrow(/hang up|reset|alert/i);
    await expect(ask(`${plane.url}/v1/status`, tls)).rejects.toThrow(/hang up|reset|alert/i);
  });

  it("does not start with a key that is not the certificate's", async () => {
    const authority = await createAuthority({ commonName: "ca" });
    const [one, two] = [await authority.issue({ commonName: "a" }), await authority.issue({ commonName: "b" })];
    const files = { ...site, "tls.crt": one.chainPem, "tls.key": two.keyPem };
    const start = RunningPlane.start(files, (directory) => ({
      tls: { certificate: directory.at("config/tls.crt"), privateKey: directory.at("config/tls.key"), clients: [] },
    }));
    await expect(start).rejects.toThrow(/ctrl\.tls: .*tls\.crt and .*tls\.key cannot be used/);
  });
});

describe("without credentials, on loopback", () => {
  it("nothing that a web page can send without asking is a push", async () => {
    await using plane = await RunningPlane.start(site);
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]) {
      const headers = type === "" ? {} : { "content-type": type };
      for (const path of ["/v1/apply", "/v1/rollback"]) {
        const { status } = await ask(plane.url + path, { method: "POST", body: configMap, headers });
        expect([path, type, status]).toEqual([path, type, 415]);
      }
    }
    const headers = { ...push.headers, origin: "https://evil.example" };
    expect(await ask(`${plane.url}/v1/apply`, { ...push, headers })).toMatchObject({ status: 403 });
  });
});
