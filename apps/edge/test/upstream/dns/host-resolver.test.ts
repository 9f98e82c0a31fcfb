import { expect, test } from "vitest";
import { HostResolver, type ResolvedAddress } from "../../src/upstream/resolver.ts";

type Answers = Record<string, readonly ResolvedAddress[] | undefined>;

const v4 = (address: string): ResolvedAddress => ({ address, family: 4 });
const v6 = (address: string): ResolvedAddress => ({ address, family: 6 });

function resolverOf(answers: Answers): { resolver: HostResolver; asked: string[]; changes: () => number } {
  const asked: string[] = [];
  let changeCount = 0;
  const lookup = async (host: string): Promise<readonly ResolvedAddress[]> => {
    asked.push(host);
    const answer = answers[host];
    if (answer === undefined) throw new Error("ENOTFOUND");
    return answer;
  };
  const options = { lookup, random: () => 0, intervalMs: 3_600_000 };
  const resolver = new HostResolver(() => changeCount++, options);
  return { resolver, asked, changes: () => changeCount };
}

test("addresses come sorted, each once, IPv4 before IPv6", async () => {
  const { resolver } = resolverOf({
    both: [v6("::1"), v4("10.0.0.2"), v4("10.0.0.1"), v4("10.0.0.2")],
    six: [v6("::2"), v6("::1")],
  });
  await resolver.watch(["both", "six"]);
  expect(resolver.addressesOf("both")).toEqual(["10.0.0.1", "10.0.0.2"]);
  expect(resolver.addressesOf("six")).toEqual(["::1", "::2"]);
  resolver.close();
});

test("a change is told, the same answer in another order is none", async () => {
  const answers: Answers = { a: [v4("10.0.0.1"), v4("10.0.0.2")] };
  const { resolver, changes } = resolverOf(answers);
  await resolver.watch(["a"]);
  expect(changes()).toBe(1);
  answers["a"] = [v4("10.0.0.2"), v4("10.0.0.1")];
  await resolver.refresh();
  expect(changes()).toBe(1);
  answers["a"] = [v4("10.0.0.3")];
  await resolver.refresh();
  expect(changes()).toBe(2);
  expect(resolver.addressesOf("a")).toEqual(["10.0.0.3"]);
  resolver.close();
});

test("a name that stops resolving keeps its last good addresses", async () => {
  const answers: Answers = { a: [v4("10.0.0.1")] };
  const { resolver } = resolverOf(answers);
  await resolver.watch(["a"]);
  answers["a"] = undefined;
  await resolver.refresh();
  answers["a"] = [];
  await resolver.refresh();
  expect(resolver.addressesOf("a")).toEqual(["10.0.0.1"]);
  resolver.close();
});

test("new hosts are asked for at once, gone ones are forgotten, the same ones are left alone", async () => {
  const { resolver, asked } = resolverOf({ a: [v4("10.0.0.1")], b: [v4("10.0.0.2")] });
  await resolver.watch(["a"]);
  await resolver.watch(["a"]);
  expect(asked).toEqual(["a"]);
  await resolver.watch(["b", "a"]);
  expect(resolver.addressesOf("b")).toEqual(["10.0.0.2"]);
  await resolver.watch(["b"]);
  expect(resolver.addressesOf("a")).toEqual([]);
  resolver.close();
});

test("an answer that comes after close changes nothing", async () => {
  const { resolver, changes } = resolverOf({ a: [v4("10.0.0.1")] });
  const first = resolver.watch(["a"]);
  resolver.close();
  await first;
  expect(changes()).toBe(0);
});
