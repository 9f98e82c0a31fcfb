// What a gRPC client gets from Sluice itself: every failure as a Trailers-Only response, and its deadline kept.
import { once } from "node:events";
import { connect } from "node:http2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { engineLanes } from "../support/engines.ts";
import type { Gateway } from "../support/gateway.ts";
import { host, protocolWorld } from "../support/protocol-world.ts";
import { startScriptedBackend } from "../support/scripted-backend.ts";

const lane = engineLanes.find(({ expected, edge }) => expected === "node" && edge["engine"] === "node");
if (lane === undefined) throw new Error("no engine");

const silent = await startScriptedBackend({ "/silent/Method": () => {} });
let world: Gateway;
beforeAll(async () => {
  world = await protocolWorld(lane, { silent: silent.port, empty: null });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await silent.close();
});

interface Outcome {
  readonly ":status"?: number;
  readonly "grpc-status"?: string;
  readonly "grpc-message"?: string;
}

async function call(path: string, fields: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const client = connect(`http://127.0.0.1:${world.port(80)}`);
  const stream = client.request({
    ":method": "POST",
    ":path": path,
    ":authority": host,
    "content-type": "application/grpc",
    te: "trailers",
    ...fields,
  });
  // An empty message, and the client goes on talking: streaming calls must be answered as well.
  stream.write(Buffer.alloc(5));
  stream.on("error", () => undefined).resume();
  const [head] = (await once(stream, "response")) as [Outcome];
  client.destroy();
  return head;
}

test("no route is UNIMPLEMENTED", async () => {
  expect(await call("/nowhere/Method")).toMatchObject({
    ":status": 200,
    "grpc-status": "12",
    "grpc-message": "route_not_found",
  });
});

test("no backend is UNAVAILABLE", async () => {
  expect(await call("/empty/Method")).toMatchObject({ ":status": 200, "grpc-status": "14" });
});

test("a client's deadline is kept, also when the backend never answers", async () => {
  const outcome = await call("/silent/Method", { "grpc-timeout": "200m" });
  expect(outcome).toMatchObject({ ":status": 200, "grpc-status": "4", "grpc-message": "response_timeout" });
});

test("its requests are counted as gRPC", async () => {
  await call("/empty/Method");
  expect(await world.metrics()).toMatch(/istio_requests_total\{[^}]*request_protocol="grpc"/);
});
