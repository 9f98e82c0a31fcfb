// Rules that do not depend on the engine, held by one list of cases on both.
import { describe, expect, test } from "vitest";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { exchangeRaw, startListener } from "../listen-node/support.ts";
import { isUwsMissing, start } from "../listen-uws/engine.ts";

interface Outcome {
  readonly status: string;
  readonly exchanges: readonly Exchange[];
}

/** Sends one request that closes its connection. */
type Attempt = (text: string) => Promise<Outcome>;

const onNode: Attempt = async (text) => {
  await using listener = await startListener();
  const answer = await exchangeRaw(listener.port, text);
  return { status: statusOf(answer), exchanges: listener.handler.exchanges };
};

const onUws: Attempt = async (text) => {
  using listener = await start();
  const answer = await exchangeRaw(listener.port, text);
  return { status: statusOf(answer), exchanges: listener.handler.seen.map(({ exchange }) => exchange) };
};

function statusOf(answer: string): string {
  return answer.split(" ")[1] ?? "";
}

const request = (host: string, more = ""): string =>
  `GET / HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`;

const refusedHosts = [
  "",
  "a.example:",
  "a.example:-1",
  "a.example:+1",
  "a.example:80x",
  "a.example:99999x",
  "a.example:65536",
  "a.example:70000",
  "a.example:000080",
  "a.example:80:80",
  ":70000",
  ":80",
  "user@a.example",
  "user:secret@a.example",
  "a.example b.example",
  "a.example, b.example",
  "a.example/x",
  "a.example?x",
  "a.example#x",
  "a.example\\x",
  "a%2eexample",
  "a;b",
  "b\xc3\xbccher.example",
  "::1",
  "[",
  "[]",
  "[::1",
  "[::12",
  "::1]",
  "[::1]80",
  "[::1]:",
  "[::1]:70000",
  "[:::1]",
  "[1::2::3]",
  "[12345::]",
  "[1.2.3.4]",
  "[fe80::1%eth0]",
  "[a.example]",
];

const acceptedHosts = [
  "a.example",
  "A_b-c.example:8443",
  "a.example:65535",
  "127.0.0.1:80",
  "[::1]",
  "[2001:db8::1]:443",
  "[::ffff:192.0.2.1]",
];

const engines: readonly [string, Attempt, boolean][] = [
  ["node", onNode, false],
  ["uws", onUws, isUwsMissing],
];

describe.for(engines)("on %s", ([, attempt, isMissing]) => {
  test.skipIf(isMissing).each(refusedHosts)("Host %j is refused", async (host) => {
    expect(await attempt(request(host))).toEqual({ status: "400", exchanges: [] });
  });

  test.skipIf(isMissing).each(acceptedHosts)("Host %j is accepted as it is", async (host) => {
    const { status, exchanges } = await attempt(request(host));
    expect(status).toBe("200");
    expect(exchanges.map(({ authority }) => authority)).toEqual([host]);
  });

  test.skipIf(isMissing).each(["foo", "100-continue, foo", "100-continued", "", '"100-continue"'])(
    "an expectation nobody can meet is 417: %j",
    async (value) => {
      expect(await attempt(request("a.example", `Expect: ${value}\r\n`))).toEqual({ status: "417", exchanges: [] });
    },
  );
});
