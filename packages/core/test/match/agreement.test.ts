// The compiled matcher against the naive reading that `explain` is made of: two programs, one meaning.
import fc from "fast-check";
import { expect, it } from "vitest";
import { readFilterChain, readVirtualHost } from "../../src/explain/naive-names.ts";
import { readRoute } from "../../src/explain/naive-route.ts";
import { buildChainIndex, buildVirtualHostIndex, selectFilterChain } from "../../src/match/index.ts";
import { filterChains, hosts, requests, virtualHosts } from "./arbitraries.ts";

const requestsPerTable = 10;
const pairs = Number(process.env["SLUICE_PROPERTY_RUNS"] ?? 100_000);
/** Set to replay a failure; printed with every run. */
const seed = Number(process.env["SLUICE_PROPERTY_SEED"] ?? Date.now() % 2 ** 31);

it(`the matcher and the naive reading pick the same virtual host and route (seed ${seed})`, () => {
  let matched = 0;
  let indexed = 0;
  fc.assert(
    fc.property(
      virtualHosts,
      fc.array(requests, { minLength: requestsPerTable, maxLength: requestsPerTable }),
      (table, questions) => {
        const index = buildVirtualHostIndex(table);
        for (const request of questions) {
          const naiveHost = readVirtualHost(table, request.host, null);
          const matcher = index.find(request.host);
          expect(matcher?.virtualHost.name ?? null).toBe(naiveHost?.name ?? null);
          if (matcher === null || naiveHost === null) continue;
          const route = matcher.match(request);
          expect(route).toBe(readRoute(naiveHost, request, null));
          if (route >= 0) matched++;
          if (route > 0 && naiveHost.routes.length > 8) indexed++;
        }
      },
    ),
    { seed, numRuns: Math.ceil(pairs / requestsPerTable) },
  );
  // A generator whose requests never match would agree about nothing.
  expect(matched).toBeGreaterThan(pairs * 0.2);
  expect(indexed).toBeGreaterThan(pairs * 0.05);
}, 120_000);

it(`the chain index and the naive reading pick the same filter chain (seed ${seed})`, () => {
  fc.assert(
    fc.property(filterChains, (chains) => {
      const index = buildChainIndex(chains);
      for (const name of hosts) {
        const sni = name === "" ? null : name;
        expect(selectFilterChain(index, sni)?.name).toBe(readFilterChain(chains, sni, null)?.name);
      }
    }),
    { seed, numRuns: 2000 },
  );
});
