import { expect, test } from "vitest";
import { endpointsOfWorkers } from "../../src/primary/endpoint-report.ts";
import type { EndpointStatus } from "../../src/upstream/cluster-counters.ts";

const status = (rest: Partial<EndpointStatus> = {}): EndpointStatus => ({
  address: "10.0.0.1:80",
  weight: 1,
  priority: 0,
  locality: "eu/a/1",
  activeRequests: 2,
  ejectedFor: null,
  ejectedForMs: 0,
  ...rest,
});

const worker = (number: number, endpoints: Record<string, EndpointStatus[]>) => ({
  number,
  endpoints: async () => endpoints,
});

test("an endpoint is one row, with the requests of all workers and who has ejected it why", async () => {
  const ejected = status({ activeRequests: 5, ejectedFor: "consecutive-5xx", ejectedForMs: 700 });
  const report = await endpointsOfWorkers([
    worker(1, { c: [status(), status({ address: "10.0.0.2:80" })] }),
    worker(2, { c: [ejected] }),
    // One that did not answer in time.
    worker(3, {}),
  ]);
  const common = { weight: 1, priority: 0, locality: "eu/a/1" };
  const ejectedBy = [{ worker: 2, reason: "consecutive-5xx", leftMs: 700 }];
  expect(report).toEqual({
    c: [
      { address: "10.0.0.1:80", ...common, activeRequests: 7, ejectedBy },
      { address: "10.0.0.2:80", ...common, activeRequests: 2, ejectedBy: [] },
    ],
  });
});
