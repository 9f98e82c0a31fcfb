import type { OutlierDetection } from "@sluice/core/model";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { FailureCode } from "../../src/exchange/failure.ts";
import { judgedStatus } from "../../src/upstream/outlier/response-status.ts";
import { ClusterManager } from "../../src/upstream/cluster-manager.ts";
import { OutlierDetector, type OutlierEvent, type OutlierTarget } from "../../src/upstream/outlier/outlier-detector.ts";
import { clusterOf, RawServer } from "./raw-server.ts";
import { RecordedExchange } from "./recorded-exchange.ts";

const off: OutlierDetection = {
  consecutive5xx: 0,
  consecutiveGatewayErrors: 0,
  consecutiveLocalErrors: 0,
  splitsLocalErrors: false,
  errorCodes: [],
  intervalMs: 10_000,
  baseEjectionTimeMs: 30_000,
  maxEjectionPercent: 100,
  minHealthPercent: 0,
};

interface Watched extends OutlierTarget {
  isEjected: boolean;
}

/** A detector on a clock that stands still until a test moves it. */
class World {
  readonly events: OutlierEvent[] = [];
  readonly targets: readonly Watched[];
  readonly detector: OutlierDetector;
  changes = 0;

  constructor(config: Partial<OutlierDetection>, size = 3) {
    this.targets = Array.from({ length: size }, (_, index) => ({
      address: `10.0.0.${index}:80`,
      isEjected: false,
      monitor: null,
    }));
    this.detector = new OutlierDetector({
      nowMs: () => Date.now(),
      onChange: () => this.changes++,
      onEvent: (event) => this.events.push(event),
    });
    this.detector.watch(this.targets, { ...off, ...config });
  }

  answer(index: number, ...statuses: readonly number[]): void {
    for (const status of statuses) this.targets[index]?.monitor?.onResponse(status);
  }

  fail(index: number, ...errors: readonly ("failure" | "timeout")[]): void {
    for (const error of errors) this.targets[index]?.monitor?.onLocalError(error);
  }

  get ejected(): number[] {
    return this.targets.flatMap(({ isEjected }, index) => (isEjected ? [index] : []));
  }
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("an endpoint is ejected", () => {
  test("after as many 5xx in a row as are allowed, not before, and not when an answer lies between", () => {
    const world = new World({ consecutive5xx: 3 });
    world.answer(0, 500, 503, 200, 500, 404, 500, 599);
    expect(world.ejected).toEqual([]);
    world.answer(0, 501);
    expect(world.ejected).toEqual([0]);
    expect(world.events).toMatchObject([{ kind: "ejected", endpoint: "10.0.0.0:80", reason: "consecutive-5xx" }]);
  });

  test("after gateway errors in a row, which other 5xx interrupt", () => {
    const world = new World({ consecutiveGatewayErrors: 2 });
    world.answer(0, 502, 500, 503);
    expect(world.ejected).toEqual([]);
    world.answer(0, 504);
    expect(world.events).toMatchObject([{ reason: "consecutive-gateway-errors" }]);
  });

  test("for connections and answers that fail to come, as if it had said 503 and 504", () => {
    const world = new World({ consecutive5xx: 3, consecutiveGatewayErrors: 3 });
    world.fail(0, "failure", "timeout");
    world.answer(0, 503);
    expect(world.events).toMatchObject([{ reason: "consecutive-gateway-errors" }]);
  });

  test("for such failures apart, when they are split from answers", () => {
    const world = new World({ consecutive5xx: 2, consecutiveLocalErrors: 2, splitsLocalErrors: true });
    world.answer(0, 500);
    world.fail(0, "failure");
    world.answer(0, 200);
    world.fail(0, "timeout");
    expect(world.ejected).toEqual([]);
    world.fail(0, "failure");
    expect(world.events).toMatchObject([{ reason: "consecutive-local-errors" }]);
  });

  test("for the statuses that are named, instead of 5xx", () => {
    const world = new World({ consecutive5xx: 2, errorCodes: [429, 503] });
    world.answer(0, 500, 500, 429, 500, 503);
    expect(world.ejected).toEqual([]);
    world.answer(0, 429);
    expect(world.ejected).toEqual([0]);
  });

  test("never for what is switched off", () => {
    const world = new World({});
    world.answer(0, ...Array.from({ length: 100 }, () => 503));
    world.fail(0, ...Array.from({ length: 100 }, () => "failure" as const));
    expect(world.ejected).toEqual([]);
  });
});

test("of few endpoints one may be ejected whatever the percentage, unless it is 0", () => {
  const eject = (maxEjectionPercent: number, size: number) => {
    const world = new World({ consecutive5xx: 1, maxEjectionPercent }, size);
    for (let index = 0; index < size; index++) world.answer(index, 500);
    return [world.ejected.length, world.detector.stats().refusedTotal];
  };
  expect(eject(10, 3)).toEqual([1, 2]);
  expect(eject(10, 20)).toEqual([2, 18]);
  expect(eject(50, 3)).toEqual([1, 2]);
  expect(eject(67, 3)).toEqual([2, 1]);
  expect(eject(100, 3)).toEqual([3, 0]);
  expect(eject(0, 3)).toEqual([0, 3]);
});

test("an ejection lasts longer every time, up to five minutes, and good behaviour shortens the next one", () => {
  const world = new World({ consecutive5xx: 1, baseEjectionTimeMs: 100_000 });
  const ejectAndWait = () => {
    const before = world.events.length;
    world.answer(0, 500);
    vi.advanceTimersByTime(310_000);
    expect(world.ejected).toEqual([]);
    return world.events.slice(before).map((event) => (event.kind === "ejected" ? event.ejectedMs : event.kind));
  };
  expect(ejectAndWait()).toEqual([100_000, "returned"]);
  // 21 healthy sweeps have forgiven the first ejection.
  expect(ejectAndWait()).toEqual([100_000, "returned"]);
  world.answer(1, 500);
  vi.advanceTimersByTime(100_000);
  world.answer(1, 500);
  vi.advanceTimersByTime(200_000);
  world.answer(1, 500);
  vi.advanceTimersByTime(299_999);
  expect(world.ejected).toEqual([1]);
  expect(world.events.filter(({ kind }) => kind === "ejected").slice(-3)).toMatchObject([
    { ejectedMs: 100_000 },
    { ejectedMs: 200_000 },
    { ejectedMs: 300_000 },
  ]);
  vi.advanceTimersByTime(10_000);
  world.answer(1, 500);
  expect(world.events.at(-1)).toMatchObject({ ejectedMs: 300_000 });
});

test("it comes back with the first sweep after its time, and starts to count anew", () => {
  const world = new World({ consecutive5xx: 2, baseEjectionTimeMs: 25_000 });
  world.answer(0, 500, 500);
  vi.advanceTimersByTime(29_999);
  expect(world.ejected).toEqual([0]);
  // What was under way still comes in.
  world.answer(0, 500);
  vi.advanceTimersByTime(1);
  expect(world.ejected).toEqual([]);
  world.answer(0, 500);
  expect(world.ejected).toEqual([]);
  world.answer(0, 500);
  expect(world.ejected).toEqual([0]);
  expect(world.detector.stats()).toMatchObject({
    ejected: [{ endpoint: "10.0.0.0:80", reason: "consecutive-5xx" }],
    ejectionsTotal: { "consecutive-5xx": 2 },
  });
});

test("no timer runs while nobody is ejected and nothing has to be forgiven", () => {
  const world = new World({ consecutive5xx: 1 });
  expect(vi.getTimerCount()).toBe(0);
  world.answer(0, 500);
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(60_000);
  expect(vi.getTimerCount()).toBe(0);
});

test("an update keeps who is ejected, switching it off brings everybody back", () => {
  const world = new World({ consecutive5xx: 1 });
  world.answer(0, 500);
  const again = world.targets.map(({ address }) => ({ address, isEjected: false, monitor: null }));
  world.detector.watch(again, { ...off, consecutive5xx: 9 });
  expect(again.map(({ isEjected }) => isEjected)).toEqual([true, false, false]);
  world.detector.watch(again, null);
  expect(again.map(({ isEjected, monitor }) => [isEjected, monitor])).toEqual(again.map(() => [false, null]));
  expect(vi.getTimerCount()).toBe(0);
});

test("gRPC errors in the head count as the status they stand for", () => {
  const grpc = ["content-type", "application/grpc+proto", "grpc-status", "14"];
  expect(judgedStatus(200, grpc)).toBe(503);
  expect(judgedStatus(200, [...grpc.slice(0, 3), "5"])).toBe(404);
  expect(judgedStatus(200, [...grpc.slice(0, 3), "77"])).toBe(500);
  expect(judgedStatus(200, ["grpc-status", "14"])).toBe(200);
  expect(judgedStatus(200, [])).toBe(200);
  expect(judgedStatus(503, grpc)).toBe(503);
});

describe("what is reported", () => {
  beforeEach(() => vi.useRealTimers());

  async function ejecting(
    act: (manager: ClusterManager, server: RawServer) => Promise<unknown>,
  ): Promise<OutlierEvent[]> {
    await using server = await RawServer.listen();
    const events: OutlierEvent[] = [];
    const manager = new ClusterManager({ onOutlierEvent: (_cluster, event) => events.push(event) });
    const outlierDetection = { ...off, consecutive5xx: 1 };
    manager.apply([clusterOf([{ port: server.port }], { outlierDetection })]);
    await act(manager, server);
    if (events.length > 0) expect(manager.get("c")?.choose()).toBeNull();
    manager.close();
    return events;
  }

  const send = (manager: ClusterManager) => RecordedExchange.send(manager.get("c")!.choose()!);

  test.each([
    ["HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", 1],
    ["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 0],
  ])("the answer %j", async (response, ejections) => {
    const events = await ejecting(async (manager, server) => {
      const exchange = send(manager);
      const connection = await server.connection(0);
      await connection.request();
      connection.socket.write(response);
      await exchange.settled();
    });
    expect(events).toHaveLength(ejections);
  });

  test.each<[string, string, FailureCode]>([
    ["before the head", "", "upstream_reset"],
    ["after the head", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", "upstream_reset_midway"],
  ])("a reset %s", async (_name, sent, failure) => {
    const events = await ejecting(async (manager, server) => {
      const exchange = send(manager);
      const connection = await server.connection(0);
      await connection.request();
      connection.socket.write(sent, () => connection.socket.destroy());
      expect((await exchange.settled()).at(-1)).toBe(`error ${failure}`);
    });
    expect(events).toHaveLength(1);
  });

  test("a connection that is refused", async () => {
    const events = await ejecting(async (manager, server) => {
      await server[Symbol.asyncDispose]();
      expect(await send(manager).settled()).toEqual(["error connect_failure"]);
    });
    expect(events).toHaveLength(1);
  });

  test("a raw connection that is refused", async () => {
    const events = await ejecting(async (manager, server) => {
      await server[Symbol.asyncDispose]();
      const pool = manager.get("c")!.choose()!;
      const client = { remoteAddress: "127.0.0.1", remotePort: 1, localAddress: "127.0.0.1", localPort: 2 };
      const failure = await new Promise((resolve) => {
        pool.openRaw({ client, host: "c.test" }, { onConnected: () => resolve("connected"), onConnectFailed: resolve });
      });
      expect(failure).toBe("connect_failure");
    });
    expect(events).toHaveLength(1);
  });

  test.each<["timeout" | undefined, number]>([
    ["timeout", 1],
    [undefined, 0],
  ])("giving up for cause %s", async (cause, ejections) => {
    const events = await ejecting(async (manager, server) => {
      const exchange = send(manager);
      await (await server.connection(0)).request();
      exchange.stream.abort(cause);
    });
    expect(events).toHaveLength(ejections);
  });

  test.each<[string, (manager: ClusterManager, port: number) => void]>([
    ["has been taken out of the table", (manager) => manager.apply([])],
    ["is watched no more", (manager, port) => manager.apply([clusterOf([{ port }])])],
    ["has lost the endpoint", (manager) => manager.apply([clusterOf([{ port: 1 }], { outlierDetection: off })])],
  ])("nothing of an answer that comes when its cluster %s", async (_name, change) => {
    await using server = await RawServer.listen();
    const events: OutlierEvent[] = [];
    const manager = new ClusterManager({ onOutlierEvent: (_cluster, event) => events.push(event) });
    const outlierDetection = { ...off, consecutive5xx: 1 };
    manager.apply([clusterOf([{ port: server.port }], { outlierDetection })]);
    const exchange = send(manager);
    const connection = await server.connection(0);
    await connection.request();
    change(manager, server.port);
    connection.socket.write("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n");
    expect((await exchange.settled()).at(-1)).toMatch(/^end/);
    expect(events).toEqual([]);
    manager.close();
  });
});
