import { X509Certificate, createPrivateKey } from "node:crypto";
import { once } from "node:events";
import { cp, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { createAuthority, writeDemoCertificates } from "../src/certificates.ts";

const leafNames = ["istio-httpbin", "istio-is5", "istio-other", "httpbin-a", "httpbin-b"];
let pristine = "";
let directory = "";

beforeAll(async () => {
  pristine = join(await mkdtemp(join(tmpdir(), "sluice-certificates-")), "made", "for-you");
  await writeDemoCertificates(pristine);
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-certificates-"));
  await cp(pristine, directory, { recursive: true });
});
afterEach(() => rm(directory, { recursive: true }));
afterAll(() => rm(join(pristine, "../.."), { recursive: true }));

const read = (name: string): Promise<string> => readFile(join(directory, name), "utf8");
const certificate = async (name: string): Promise<X509Certificate> => new X509Certificate(await read(name));

test("writes the authority and five pairs, nothing else", async () => {
  const expected = ["ca.crt", ...leafNames.flatMap((name) => [`${name}.crt`, `${name}.key`])];
  expect((await readdir(directory)).toSorted()).toEqual(expected.toSorted());
});

test.each(leafNames)("%s is issued by ca.crt and its key, readable by its owner alone, fits", async (name) => {
  const leaf = await certificate(`${name}.crt`);
  const authority = await certificate("ca.crt");
  expect(leaf.checkIssued(authority) && leaf.verify(authority.publicKey)).toBe(true);
  expect(leaf.checkPrivateKey(createPrivateKey(await read(`${name}.key`)))).toBe(true);
  expect((await stat(join(directory, `${name}.key`))).mode & 0o777).toBe(0o600);
});

test.each([
  ["istio-httpbin", "DNS:localhost, DNS:httpbin.istio.local, DNS:app.istio.local, IP Address:127.0.0.1"],
  ["istio-is5", "DNS:is5.istio.local"],
  ["istio-other", "DNS:other.istio.local"],
  ["httpbin-a", "DNS:httpbin-a.example, DNS:httpbin-a.7cb9a9b7b318440399a0.eastus.aksapp.io"],
  ["httpbin-b", "DNS:httpbin-b.example, DNS:httpbin-b.7cb9a9b7b318440399a0.eastus.aksapp.io"],
])("%s is for %s", async (name, subjectAltName) => {
  expect((await certificate(`${name}.crt`)).subjectAltName).toBe(subjectAltName);
});

test("a usable set is left as it is", async () => {
  await writeDemoCertificates(directory);
  expect(await read("ca.crt")).toBe(await readFile(join(pristine, "ca.crt"), "utf8"));
});

test.each([
  ["a missing key", () => rm(join(directory, "httpbin-b.key"))],
  ["a file that is no certificate", () => writeFile(join(directory, "istio-is5.crt"), "not a certificate")],
  ["a key of another certificate", () => cp(join(directory, "httpbin-a.key"), join(directory, "httpbin-b.key"))],
  ["a certificate without its names", () => copyPair("httpbin-a", "httpbin-b")],
  ["a pair of another authority", replaceByStranger],
])("%s makes the whole set anew", async (_, spoil) => {
  const before = await read("ca.crt");
  await spoil();
  await writeDemoCertificates(directory);
  expect(await read("ca.crt")).not.toBe(before);
  const authority = await certificate("ca.crt");
  for (const name of leafNames) expect((await certificate(`${name}.crt`)).verify(authority.publicKey)).toBe(true);
});

test.each([
  [357, "left as it is"],
  [359, "made anew"],
])("seen %i days later the set is %s, a week before its end being the limit", async (days, outcome) => {
  const before = await read("ca.crt");
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + days * 24 * 60 * 60 * 1000 });
  await writeDemoCertificates(directory).finally(() => vi.useRealTimers());
  expect((await read("ca.crt")) === before ? "left as it is" : "made anew").toBe(outcome);
});

test("a client of the set is welcome at a server of the set, by mutual TLS", async () => {
  const ca = await read("ca.crt");
  const server = createServer(
    { cert: await read("istio-httpbin.crt"), key: await read("istio-httpbin.key"), ca, requestCert: true },
    (socket) => socket.end(socket.getPeerX509Certificate()?.subjectAltName ?? "none"),
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = connect({
    port: (server.address() as AddressInfo).port,
    host: "127.0.0.1",
    ca,
    cert: await read("istio-is5.crt"),
    key: await read("istio-is5.key"),
  });
  const [seen] = (await once(client.setEncoding("utf8"), "data")) as [string];
  expect(seen).toBe("DNS:is5.istio.local");
  client.destroy();
  await once(server.close(), "close");
});

async function copyPair(from: string, to: string): Promise<void> {
  for (const suffix of ["crt", "key"])
    await cp(join(directory, `${from}.${suffix}`), join(directory, `${to}.${suffix}`));
}

async function replaceByStranger(): Promise<void> {
  const stranger = await createAuthority({ commonName: "Sluice demo authority" });
  const issued = await stranger.issue({ commonName: "is5.istio.local", dnsNames: ["is5.istio.local"], client: true });
  await writeFile(join(directory, "istio-is5.crt"), issued.chainPem);
  await writeFile(join(directory, "istio-is5.key"), issued.keyPem);
}
