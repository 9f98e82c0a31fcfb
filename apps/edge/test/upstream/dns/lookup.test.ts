import { expect, test } from "vitest";
import { parseHostsFile } from "../../../src/upstream/dns/hosts-file.ts";
import { systemLookup } from "../../../src/upstream/dns/lookup.ts";
import { DnsServer } from "../../../../../test/support/dns-server.ts";

test("an answer of DNS comes with the least of its records' times to live", async () => {
  await using dns = await DnsServer.listen({ "web.test": { addresses: ["10.0.0.1", "10.0.0.2"], ttlSeconds: 7 } });
  expect(await systemLookup([dns.address])("web.test")).toEqual({
    addresses: [
      { address: "10.0.0.1", family: 4 },
      { address: "10.0.0.2", family: 4 },
    ],
    ttlMs: 7000,
  });
  expect(dns.questions).toEqual(["web.test A"]);
});

test("IPv6 addresses are asked for when there are no others", async () => {
  await using dns = await DnsServer.listen({ "six.test": { addresses: ["fd00::1:2"], ttlSeconds: 9 } });
  expect(await systemLookup([dns.address])("six.test")).toEqual({
    addresses: [{ address: "fd00::1:2", family: 6 }],
    ttlMs: 9000,
  });
});

test("a name that does not exist and a server that fails are failures", async () => {
  await using dns = await DnsServer.listen();
  await expect(systemLookup([dns.address])("gone.test")).rejects.toMatchObject({ code: "ENOTFOUND" });
  dns.mood = "failing";
  await expect(systemLookup([dns.address])("gone.test")).rejects.toMatchObject({ code: "ESERVFAIL" });
});

test("the hosts file goes before DNS", async () => {
  await using dns = await DnsServer.listen({ localhost: { addresses: ["10.0.0.1"], ttlSeconds: 7 } });
  const { addresses, ttlMs } = await systemLookup([dns.address])("localhost");
  expect(addresses).toContainEqual({ address: "127.0.0.1", family: 4 });
  expect([ttlMs, dns.questions]).toEqual([null, []]);
});

test("lines of a hosts file name addresses, in any case, with comments and nonsense between", () => {
  const names = parseHostsFile(
    "127.0.0.1 localhost # that is us\n::1\tlocalhost ip6-localhost\n#10.0.0.1 off\n10.0.0.2 Web.Test web\r\nnonsense here\n\n",
  );
  expect(Object.fromEntries(names)).toEqual({
    localhost: [
      { address: "127.0.0.1", family: 4 },
      { address: "::1", family: 6 },
    ],
    "ip6-localhost": [{ address: "::1", family: 6 }],
    "web.test": [{ address: "10.0.0.2", family: 4 }],
    web: [{ address: "10.0.0.2", family: 4 }],
  });
});
