// HTTP/2 over TLS as its own tools speak it, on either codec: h2load with one, ten and a hundred streams, nghttp, curl, and openssl with
// frames made by hand.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createAuthority } from "@sluice/demo/certificates";
import {
  block,
  data,
  flags,
  frame,
  type Frame,
  framesOf,
  frameType,
  isGoAwayFrame,
  preface,
  settings,
} from "@sluice/http2-frames";
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { documents, gatewayResource, httpsServer, service, tlsSecret, virtualService } from "../support/config.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { hasH2load, readH2load } from "../support/load.ts";

const run = promisify(execFile);
const host = "app.example";
const uploadBytes = 3_000_000;

const httpbin = await startHttpbin();
const authority = await createAuthority({ commonName: "story ca" });
const certificate = await authority.issue({ commonName: "app", dnsNames: [host] });
const config = documents(
  gatewayResource("app", [httpsServer([host], { mode: "SIMPLE", credentialName: "app" })]),
  virtualService("app", { hosts: [host], gateways: ["app"], destination: "httpbin" }),
  ...service("httpbin", httpbin.port),
  tlsSecret("app", certificate),
);

let files = "";
beforeAll(async () => {
  files = await mkdtemp(join(tmpdir(), "sluice-story-http2-"));
  await writeFile(join(files, "ca.pem"), authority.certificatePem);
  await writeFile(join(files, "body"), Buffer.alloc(uploadBytes, "sluice gate "));
});
afterAll(async () => {
  await httpbin.close();
  await rm(files, { recursive: true });
});

describe.each(["own", "node"])("with codec %s", (codec) => {
  let world: Gateway;
  beforeAll(async () => {
    const edge = { engine: "node", codec, workers: 1 };
    world = await gateway({ config: { "app.yaml": config }, ports: [443], edge });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test.skipIf(!hasH2load).each([1, 10, 100])(
    "h2load with %i streams a connection has every answer",
    async (streams) => {
      const { stdout } = await run("h2load", [
        "-t1",
        "-c2",
        `-m${streams}`,
        "-n1000",
        `--connect-to=127.0.0.1:${world.port(443)}`,
        `https://${host}/bytes/1000`,
      ]);
      expect(stdout).toContain("Application protocol: h2");
      expect(readH2load(stdout)).toMatchObject({ requests: 1000, failedRequests: 0 });
    },
  );

  // nghttp comes with h2load.
  test.skipIf(!hasH2load)("nghttp downloads and uploads", async () => {
    const ask = async (path: string, ...args: readonly string[]) =>
      (await run("nghttp", ["-v", ...args, "-H", `:authority: ${host}`, `https://127.0.0.1:${world.port(443)}${path}`]))
        .stdout;
    expect(await ask("/bytes/10")).toMatch(/:status: 200/);
    expect(await ask("/upload", "-d", join(files, "body"))).toMatch(new RegExp(`"bytes": ?${uploadBytes}\\b`));
  });

  test("curl downloads and uploads", async () => {
    const ask = async (path: string, ...args: readonly string[]) => {
      const port = world.port(443);
      const address = ["--cacert", join(files, "ca.pem"), "--resolve", `${host}:${port}:127.0.0.1`];
      const said = ["-sS", "--http2", "-w", "\n%{http_version} %{http_code} %{size_download}"];
      return (
        await run("curl", [...said, ...address, ...args, `https://${host}:${port}${path}`], { encoding: "latin1" })
      ).stdout;
    };
    expect(await ask("/bytes/300000", "-o", "/dev/null")).toBe("\n2 200 300000");
    const uploaded = await ask("/upload", "-T", join(files, "body"));
    expect(uploaded).toMatch(new RegExp(`"bytes": ?${uploadBytes}\\b`));
    expect(uploaded).toContain("\n2 200 ");
  });

  test("openssl carries frames made by hand, however they are cut, and hears what is wrong with them", async () => {
    const client = new Openssl(world.port(443));
    const head = block([
      [":method", "GET"],
      [":scheme", "https"],
      [":path", "/status/200"],
      [":authority", host],
    ]);
    const opening = Buffer.concat([
      preface,
      settings([3, 0]),
      frame(frameType.headers, flags.endStream, 1, head.subarray(0, 20)),
      frame(frameType.continuation, flags.endHeaders, 1, head.subarray(20)),
    ]);
    client.write(opening.subarray(0, 33));
    client.write(opening.subarray(33));
    await client.until(({ stream, flags: bits, type }) => stream === 1 && type <= 1 && (bits & flags.endStream) !== 0);
    client.write(data(0, "on no stream"));
    await client.until(isGoAwayFrame);
    expect(client.frames.find(isGoAwayFrame)?.payload.readUInt32BE(4)).toBe(1);
    // node:http2 waits for the client to close.
    if (codec === "node") client.stop();
    await client.closed;
  });
});

/** `openssl s_client` with a pipe at either end. */
class Openssl {
  readonly closed: Promise<unknown>;
  readonly #child;
  #received: Buffer = Buffer.alloc(0);

  constructor(port: number) {
    const args = ["s_client", "-connect", `127.0.0.1:${port}`, "-servername", host, "-alpn", "h2", "-quiet"];
    this.#child = spawn("openssl", args, { stdio: ["pipe", "pipe", "ignore"] });
    this.#child.stdin.on("error", () => undefined);
    this.#child.stdout.on("data", (chunk: Buffer) => (this.#received = Buffer.concat([this.#received, chunk])));
    this.closed = once(this.#child, "close");
  }

  get frames(): Frame[] {
    return framesOf(this.#received);
  }

  stop(): void {
    this.#child.kill();
  }

  write(bytes: Buffer): void {
    this.#child.stdin.write(bytes);
  }

  async until(isWanted: (received: Frame) => boolean): Promise<void> {
    while (!this.frames.some(isWanted)) {
      // eslint-disable-next-line no-await-in-loop
      const heard = await Promise.race([
        once(this.#child.stdout, "data").then(() => true),
        this.closed.then(() => false),
      ]);
      if (!heard && !this.frames.some(isWanted)) throw new Error("the connection has ended");
    }
  }
}
