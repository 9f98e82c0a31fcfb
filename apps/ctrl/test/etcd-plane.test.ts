// Control planes that share etcd: what one is told by its edges, all follow, also when etcd is away in between.
import { expect, it } from "vitest";
import { CuttableWire } from "../../../test/support/cuttable-wire.ts";
import { etcdCluster, hasEtcd } from "../../../test/support/etcd.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { plainGateway } from "./support/configurations.ts";
import { FakeEdge } from "./support/fake-edge.ts";
import { RunningPlane } from "./support/running-plane.ts";

const files = { "a.yaml": plainGateway(8080).replace('hosts: ["shop.example"]', 'hosts: ["*.example"]') };
const document = JSON.stringify({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "late", namespace: "default" },
  spec: {
    hosts: ["late.example"],
    gateways: ["shop"],
    http: [{ route: [{ destination: { host: "backend.example", port: { number: 8000 } } }] }],
  },
});

interface Status {
  readonly version: string | null;
  readonly number: number;
  readonly store: { readonly problem: string | null };
}

async function startPlane(endpoint: string): Promise<RunningPlane> {
  const etcd = { endpoints: [endpoint], prefix: "/planes", tls: {}, timeoutSeconds: 1 };
  const plane = await RunningPlane.start(files, () => ({ store: { kind: "etcd", etcd } }));
  await plane.until<Status>("/v1/status", ({ version }) => version !== null);
  return plane;
}

it.runIf(hasEtcd)("a version refused while etcd was away is taken back for all when etcd is there again", async () => {
  await using cluster = await etcdCluster();
  const [endpoint = ""] = cluster.endpoints;
  await using wire = await CuttableWire.to(endpoint, "127.0.0.1");
  await using near = await startPlane(wire.url);
  await using far = await startPlane(endpoint);
  using edge = await FakeEdge.greet(near.socketPath, "edge-1");
  const before = await edge.accept();
  const headers = { "content-type": "application/json" };
  const pushed = await far.fetch("/v1/apply?wait=0", { method: "POST", body: document, headers });
  expect(pushed).toMatchObject({ status: 200 });
  const refused = await edge.expect("commit");
  wire.cut();
  await near.until<Status>("/v1/status", ({ store }) => store.problem !== null);
  edge.nack(refused.version, "cannot listen");
  expect((await edge.accept()).version).toBe(before.version);
  const notUndone = /^what an edge refused stays in the store: etcd cannot be used since .*; it is tried again$/;
  const isTold = () => (near.errors.some((line) => notUndone.test(line)) ? true : null);
  await eventually("a failure to write that down", isTold, 20_000);
  expect((await far.get("/v1/status")).body).toMatchObject({ number: 1, version: refused.version });
  wire.mend();
  await far.until<Status>("/v1/status", ({ number, version }) => number === 2 && version === before.version);
  await near.until<Status>("/v1/status", ({ number, version }) => number === 2 && version === before.version);
  const versions = (await far.get("/v1/versions")).body as {
    number: number | null;
    refused: number[];
    reason: string;
  }[];
  expect(versions.filter(({ number }) => number === 2)).toMatchObject([
    { refused: [1], reason: "edge-1, worker 1: cannot listen" },
  ]);
});
