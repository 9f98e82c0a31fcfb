// Several ctrls on other machines: whom an edge believes, in which order it tries them, and when it leaves one.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeFrame } from "@sluice/core/wire";
import { type Authority, createAuthority, type IssueOptions } from "@sluice/demo/certificates";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { CtrlClient, type CtrlLink, type CtrlTiming } from "../../src/primary/ctrl-client.ts";
import { CtrlCredentials, TlsTarget } from "../../src/primary/ctrl-target.ts";
import { FakeCtrl, welcome } from "./fake-ctrl.ts";

const day = 86_400_000;
let authority: Authority;
let directory = "";
let credentials: CtrlCredentials;
const problems: string[] = [];

async function writeIdentity(): Promise<void> {
  const edge = await authority.issue({ commonName: "edge", dnsNames: ["edge-1"], client: true });
  await writeFile(join(directory, "tls.key"), edge.keyPem);
  await writeFile(join(directory, "tls.crt"), edge.chainPem);
}

beforeAll(async () => {
  authority = await createAuthority({ commonName: "machines" });
  directory = await mkdtemp(join(tmpdir(), "sluice-failover-"));
  await writeIdentity();
  await writeFile(join(directory, "ca.crt"), authority.certificatePem);
  const path = (name: string) => join(directory, name);
  const paths = { certificate: path("tls.crt"), privateKey: path("tls.key"), ca: path("ca.crt") };
  credentials = new CtrlCredentials(paths, (problem) => problems.push(problem));
});

afterAll(() => rm(directory, { recursive: true }));

async function ctrl(name: string, options: Partial<IssueOptions> = {}, issuer = authority): Promise<FakeCtrl> {
  const issued = await issuer.issue({ commonName: name, ipAddresses: ["127.0.0.1"], ...options });
  return await new FakeCtrl(name, { cert: issued.chainPem, key: issued.keyPem }).listen();
}

/** An edge's client, with what it logs as events. */
class Client implements Disposable {
  readonly #client: CtrlClient;
  readonly log: { msg: string; address?: string; problem?: string; detail?: string }[] = [];
  readonly links: CtrlLink[] = [];
  #onLine: () => void = () => {};

  constructor(ctrls: readonly FakeCtrl[], timing: Partial<CtrlTiming> = {}, serverName?: string) {
    const write = (line: string) => {
      this.log.push(JSON.parse(line) as Client["log"][0]);
      this.#onLine();
    };
    this.#client = new CtrlClient(
      ctrls.map(({ address }) => new TlsTarget(address, credentials, serverName)),
      {
        hello: () => ({ type: "hello", protocol: 2, edgeId: "edge-1", productVersion: "0", version: null }),
        onWelcome: (_url, _wantsInventory, link) => this.links.push(link),
        onCommit: () => {},
        onRefused: () => {},
      },
      pino({ level: "info" }, { write }),
      { minPauseMs: 5, maxPauseMs: 20, healthyLifeMs: 0, ...timing },
    );
    this.#client.start();
  }

  get connectedTo(): string | null {
    return this.#client.connectedTo;
  }

  /** The log from here on until a line that is wanted, which is returned. */
  async untilLine(isWanted: (line: Client["log"][0]) => boolean): Promise<Client["log"][0]> {
    for (;;) {
      const index = this.log.findIndex(isWanted);
      if (index >= 0) return this.log.splice(0, index + 1).at(-1) as Client["log"][0];
      await new Promise<void>((resolve) => (this.#onLine = resolve));
    }
  }

  async untilConnected(to: FakeCtrl): Promise<void> {
    await this.untilLine(({ msg, address }) => msg === "connected to ctrl" && address === to.address);
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

describe("an edge", () => {
  afterEach(() => problems.splice(0));

  test.each<[string, () => Promise<FakeCtrl>]>([
    [
      "another authority of the same name vouches for",
      async () => ctrl("a", {}, await createAuthority({ commonName: "machines" })),
    ],
    ["has another address in its certificate", () => ctrl("a", { ipAddresses: ["127.0.0.2"] })],
    ["has its name as common name only", () => ctrl("127.0.0.1", { ipAddresses: [] })],
    ["has the address as a DNS name", () => ctrl("a", { ipAddresses: [], dnsNames: ["127.0.0.1"] })],
    [
      "shows an expired certificate",
      () => ctrl("a", { notBefore: new Date(Date.now() - 9 * day), notAfter: new Date(Date.now() - day) }),
    ],
    ["shows the certificate of an edge", () => ctrl("a", { client: true })],
  ])("says nothing to one that %s, and goes on to the next", async (_claim, makeImpostor) => {
    await using impostor = await makeImpostor();
    await using honest = await ctrl("b");
    using client = new Client([impostor, honest]);
    await client.untilConnected(honest);
    expect(impostor.heard.filter((what) => what !== "handshake failed")).toEqual([]);
  });

  test("takes the name it was told for the name of ctrl", async () => {
    await using named = await ctrl("a", { ipAddresses: [], dnsNames: ["ctrl.tier.example"] });
    using client = new Client([named], {}, "ctrl.tier.example");
    await client.untilConnected(named);
    using other = new Client([named], {}, "other.tier.example");
    expect((await other.untilLine(({ problem }) => problem !== undefined)).detail).toContain("is not ctrl");
  });

  test("tries its ctrls in order, comes back to the one it lost, and stays with the one it has", async () => {
    await using first = await ctrl("a");
    await using second = await ctrl("b");
    using client = new Client([first, second]);
    await client.untilConnected(first);
    // Lost for a moment: nothing changes.
    for (const socket of first.sockets) socket.destroy();
    await client.untilConnected(first);
    expect(second.heard).toEqual([]);
    await first.die();
    await client.untilConnected(second);
    // The first is back, and the second is as good as ever.
    await first.listen();
    const heard = first.heard.length;
    for (const socket of second.sockets) socket.write(encodeFrame({ type: "refused", reason: "still here" }));
    for (const socket of second.sockets) socket.destroy();
    await client.untilConnected(second);
    expect(first.heard).toHaveLength(heard);
  });

  test("leaves a ctrl that does not welcome it", async () => {
    await using mute = await ctrl("a");
    mute.onMessage = () => {};
    await using good = await ctrl("b");
    using client = new Client([mute, good], { welcomeTimeoutMs: 300 });
    expect((await client.untilLine(({ problem }) => problem !== undefined)).problem).toBe("no welcome within 0.3 s");
    await client.untilConnected(good);
  });

  test("leaves a ctrl that has fallen silent: its process may be stopped, or its machine without power", async () => {
    await using silent = await ctrl("a");
    await using good = await ctrl("b");
    good.onMessage = (message, socket) =>
      socket.write(encodeFrame(message.type === "hello" ? welcome : { type: "alive" }));
    using client = new Client([silent, good], { aliveEveryMs: 20, silenceLimitMs: 300, healthyLifeMs: 60_000 });
    await client.untilConnected(silent);
    expect((await client.untilLine(({ problem }) => problem !== undefined)).problem).toBe("ctrl is silent for 0.3 s");
    await client.untilConnected(good);
  });

  test("that is refused says why, and tries the next", async () => {
    await using strict = await ctrl("a");
    strict.onMessage = (_, socket) => socket.end(encodeFrame({ type: "refused", reason: "you are not edge-1" }));
    await using good = await ctrl("b");
    using client = new Client([strict, good]);
    const line = await client.untilLine(({ problem }) => problem !== undefined);
    expect(line.problem).toBe("ctrl refuses this edge: you are not edge-1");
    await client.untilConnected(good);
  });

  test("answers whoever asked, and nobody else when that one is gone", async () => {
    await using first = await ctrl("a");
    await using second = await ctrl("b");
    using client = new Client([first, second]);
    await client.untilConnected(first);
    await first.die();
    await client.untilConnected(second);
    const [old, current] = client.links as [CtrlLink, CtrlLink];
    const heard = new Promise<void>((resolve) => (second.onMessage = () => resolve()));
    old.send({ type: "ack", version: "v", workers: [] });
    current.send({ type: "alive" });
    await heard;
    expect(second.heard).toEqual(["hello", "alive"]);
  });

  test("that finds itself in disagreement on what it serves says hello to the same ctrl anew", async () => {
    await using first = await ctrl("a");
    await using second = await ctrl("b");
    // Nothing lives long enough to be well: any other end would lead to the next one.
    using client = new Client([first, second], { healthyLifeMs: 60_000 });
    await client.untilConnected(first);
    for (let round = 0; round < 3; round++) {
      expect(client.links.at(-1)?.isOpen).toBe(true);
      client.links.at(-1)?.resync("the offer builds on another version");
      await client.untilConnected(first);
      expect(client.links.at(-2)?.isOpen).toBe(false);
    }
    expect(second.heard).toEqual([]);
  });

  test("shows a renewed certificate on its next connection, and the former one while the files are broken", async () => {
    await using only = await ctrl("a");
    using client = new Client([only]);
    await client.untilConnected(only);
    await writeFile(join(directory, "tls.key"), "half");
    for (const socket of only.sockets) socket.destroy();
    await client.untilConnected(only);
    expect(problems).toEqual([expect.stringContaining("private key cannot be parsed")]);
    await writeIdentity();
    for (const socket of only.sockets) socket.destroy();
    await client.untilConnected(only);
    expect(problems).toHaveLength(1);
  });
});
