import { expect, test, vi } from "vitest";
import { defaultResolverOptions, HostResolver } from "../../../src/upstream/dns/host-resolver.ts";
import type { HostAnswer, ResolvedAddress } from "../../../src/upstream/dns/lookup.ts";

type Answers = Record<string, readonly ResolvedAddress[] | undefined>;

const v4 = (address: string): ResolvedAddress => ({ address, family: 4 });
const v6 = (address: string): ResolvedAddress => ({ address, family: 6 });

function resolverOf(answers: Answers): { resolver: HostResolver; asked: string[]; changes: () => number } {
  const asked: string[] = [];
  let changeCount = 0;
  const lookup = async (host: string): Promise<HostAnswer> => {
    asked.push(host);
    const answer = answers[host];
    if (answer === undefined) throw new Error("ENOTFOUND");
    return { addresses: answer, ttlMs: 3_600_000 };
  };
  const options = { ...defaultResolverOptions, lookup, random: () => 0, maxTtlMs: 3_600_000 };
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

/** How long the resolver waits after each answer, by a clock that jumps from one timer to the next. */
async function pauses(answers: readonly (HostAnswer | null)[], random: number): Promise<number[]> {
  vi.useFakeTimers();
  const times: number[] = [];
  const lookup = async (): Promise<HostAnswer> => {
    times.push(Date.now());
    const answer = answers[times.length - 1];
    if (answer === null || answer === undefined) throw new Error("ESERVFAIL");
    return answer;
  };
  const resolver = new HostResolver(() => {}, { ...defaultResolverOptions, lookup, random: () => random });
  await resolver.watch(["a"]);
  while (times.length <= answers.length) await vi.advanceTimersToNextTimerAsync();
  resolver.close();
  vi.useRealTimers();
  return times.slice(1).map((time, index) => time - (times[index] ?? 0));
}

const answer = (ttlMs: number | null): HostAnswer => ({ addresses: [v4("10.0.0.1")], ttlMs });

test("a name is asked for again when its answer has grown old, within bounds", async () => {
  const kept = [answer(20_000), answer(0), answer(86_400_000), answer(null)];
  expect(await pauses(kept, 0)).toEqual([20_000, 1000, 300_000, 5000]);
});

test("workers do not ask in step", async () => {
  expect(await pauses([answer(20_000), null], 0.5)).toEqual([19_000, 750]);
});

test("after failures the pauses grow, up to half a minute, and after a success they are forgotten", async () => {
  const failing = [null, null, null, null, null, null, null, answer(7000), null];
  expect(await pauses(failing, 0)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 7000, 1000]);
});
