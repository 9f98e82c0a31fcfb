import { expect, test } from "vitest";
import { type ChoicePolicy, EndpointChooser } from "../../../src/upstream/balancing/endpoint-chooser.ts";
import { sharedTableCount } from "../../../src/upstream/balancing/shared-tables.ts";
import { BalancedConnection } from "../../../src/upstream/balancing/balanced-request.ts";
import { type Candidate, candidate, candidates, count, sequence, shares } from "./support.ts";

const policy = (rest: Partial<ChoicePolicy> = {}): ChoicePolicy => ({
  balancer: { kind: "random" },
  warmup: null,
  panicPercent: 0,
  random: sequence(),
  nowMs: () => 0,
  ...rest,
});

const none: readonly Candidate[] = [];

function levels(...sizes: readonly number[]): Candidate[][] {
  return sizes.map((size, priority) =>
    Array.from({ length: size }, (_, index) => candidate(`10.${priority}.0.${index}:80`, { priority })),
  );
}

test("the first level takes everything until too many of it are ejected, then the next one takes its part", () => {
  const [near = [], far = []] = levels(4, 4);
  const chooser = new EndpointChooser([...far, ...near], policy());
  const nearShare = () => {
    for (const member of [...near, ...far]) member.chosen = 0;
    count(20_000, () => chooser.choose(null, none, none));
    return shares([...near, ...far])
      .slice(0, 4)
      .reduce((a, b) => a + b);
  };
  const eject = (howMany: number) => {
    for (const [index, member] of near.entries()) member.isEjected = index < howMany;
    chooser.refresh();
  };
  expect(nearShare()).toBe(1);
  eject(1);
  expect(nearShare()).toBe(1);
  eject(2);
  expect(nearShare()).toBeCloseTo(0.7, 1);
  expect(near.filter(({ chosen, isEjected }) => isEjected && chosen > 0)).toEqual([]);
  eject(4);
  expect(nearShare()).toBe(0);
  eject(0);
  expect(nearShare()).toBe(1);
});

test("when everybody is ejected nobody is chosen, unless a panic threshold says to use all", () => {
  const members = candidates(3);
  for (const member of members) member.isEjected = true;
  expect(new EndpointChooser(members, policy()).choose(null, none, none)).toBeNull();
  const panicking = new EndpointChooser(members, policy({ panicPercent: 30 }));
  count(3000, () => panicking.choose(null, none, none));
  for (const share of shares(members)) expect(share).toBeCloseTo(1 / 3, 1);
});

test.each([["random"], ["round-robin"], ["least-request"]] as const)(
  "%s leads a retry to an endpoint that was not tried, as long as there is one",
  (kind) => {
    const members = candidates(3);
    const chooser = new EndpointChooser(members, policy({ balancer: { kind } }));
    for (let round = 0; round < 200; round++) {
      const tried: Candidate[] = [];
      for (let attempt = 0; attempt < 3; attempt++) tried.push(chooser.choose(null, tried, none) as Candidate);
      expect(new Set(tried).size).toBe(3);
      expect(members).toContain(chooser.choose(null, tried, none));
    }
  },
);

test("a retry leaves the levels it has tried from the third attempt on, if it is asked to", () => {
  const [near = [], far = []] = levels(2, 2);
  const chooser = new EndpointChooser([...near, ...far], policy());
  const [first] = near as [Candidate, Candidate];
  expect(near).toContain(chooser.choose(null, [], [first]));
  expect(near).toContain(chooser.choose(null, near, []));
  expect(far).toContain(chooser.choose(null, [], near));
  expect([...near, ...far]).toContain(chooser.choose(null, [], [...near, ...far]));
});

test("a key stays at its endpoint, a request without the key goes anywhere", () => {
  const members = candidates(5);
  const balancer = { kind: "ring-hash", key: { kind: "header", name: "x-user" }, size: 1024 } as const;
  const chooser = new EndpointChooser(members, policy({ balancer }));
  const request = (user: string | null) => ({
    query: "",
    setCookie: "",
    downstream: { remoteAddress: "10.9.9.9", remotePort: 1, localAddress: "10.0.0.1", localPort: 80 },
    header: (name: string) => (name === "x-user" ? user : null),
  });
  const chosen = chooser.choose(request("ann"), none, none);
  for (let i = 0; i < 50; i++) expect(chooser.choose(request("ann"), none, none)).toBe(chosen);
  count(5000, () => chooser.choose(request(null), none, none));
  for (const share of shares(members)) expect(share).toBeCloseTo(1 / 5, 1);
});

test("with several levels a key keeps its level too", () => {
  const [near = [], far = []] = levels(4, 4);
  for (const member of near.slice(0, 2)) member.isEjected = true;
  const balancer = { kind: "maglev", key: { kind: "source-ip" }, size: 251 } as const;
  const chooser = new EndpointChooser([...near, ...far], policy({ balancer }));
  const choose = (remoteAddress: string) =>
    chooser.choose(
      {
        query: "",
        setCookie: "",
        downstream: { remoteAddress, remotePort: 1, localAddress: "", localPort: 0 },
        header: () => null,
      },
      none,
      none,
    );
  let nearCount = 0;
  for (let i = 0; i < 1000; i++) {
    const first = choose(`10.1.${i >> 8}.${i & 255}`);
    expect(choose(`10.1.${i >> 8}.${i & 255}`)).toBe(first);
    if (first?.priority === 0) nearCount++;
  }
  expect(nearCount / 1000).toBeCloseTo(0.7, 1);
});

test("raw connections are hashed by their client's address, and by nothing else", () => {
  const members = candidates(5);
  const from = (remoteAddress: string, remotePort: number) =>
    new BalancedConnection({ remoteAddress, remotePort, localAddress: "10.0.0.1", localPort: 80 });
  const byAddress = { kind: "maglev", key: { kind: "source-ip" }, size: 251 } as const;
  const sticky = new EndpointChooser(members, policy({ balancer: byAddress }));
  const places = new Set([1, 2, 3, 4].map((port) => sticky.choose(from("10.9.9.9", port), none, none)));
  expect(places.size).toBe(1);
  const byHeader = { ...byAddress, key: { kind: "header", name: "x-user" } } as const;
  const spread = new EndpointChooser(members, policy({ balancer: byHeader }));
  count(500, () => spread.choose(from("10.9.9.9", 1), none, none));
  for (const { chosen } of members) expect(chosen).toBeGreaterThan(0);
});

test("with hashing too everybody is used in a panic, and an ejection makes no new table", () => {
  const members = candidates(7);
  const balancer = { kind: "maglev", key: { kind: "source-ip" }, size: 257 } as const;
  const request = new BalancedConnection({ remoteAddress: "10.9.9.9", remotePort: 1, localAddress: "", localPort: 0 });
  const chooser = new EndpointChooser(members, policy({ balancer, panicPercent: 30 }));
  const home = chooser.choose(request, none, none);
  const tables = sharedTableCount();
  const spared = members.find((member) => member !== home);
  for (const member of members) member.isEjected = member !== spared;
  chooser.refresh();
  expect(chooser.choose(request, none, none)).toBe(home);
  for (const member of members) member.isEjected = member === home;
  chooser.refresh();
  expect(chooser.choose(request, none, none)).not.toBe(home);
  expect(sharedTableCount()).toBe(tables);
});
