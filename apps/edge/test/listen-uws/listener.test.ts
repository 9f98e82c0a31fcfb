// Binding, counting, updating, draining.
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { BindError } from "../../src/listen/listener.ts";
import { canonicalAddress } from "../../src/listen/uws/chain-binding.ts";
import { atPort, cleartextSpec, isUwsMissing, start } from "./engine.ts";
import { respond } from "./fake-handler.ts";
import { get, hasResponses, rawClient } from "./raw-client.ts";

describe.skipIf(isUwsMissing)("a listener on uWebSockets.js", () => {
  it("names the port it took when 0 was asked for", async () => {
    using world = await start();
    expect(world.bound).toMatchObject({ name: "0.0.0.0_80", engine: "uws" });
    expect(world.port).toBeGreaterThan(0);
  });

  it("shares its port with its like, as workers do", async () => {
    using first = await start();
    using second = await start(atPort(cleartextSpec(), first.port));
    expect(second.port).toBe(first.port);
  });

  it("says why an address cannot be bound", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const inUse = await start(atPort(cleartextSpec(), port)).catch((error: unknown) => error);
    server.close();
    expect(inUse).toBeInstanceOf(BindError);
    expect(inUse).toMatchObject({ code: "EADDRINUSE" });
    const elsewhere = await start({ ...cleartextSpec(), bindAddress: "203.0.113.1" }).catch((error: unknown) => error);
    expect(elsewhere).toMatchObject({ code: "EADDRNOTAVAIL" });
  });

  it("counts connections", async () => {
    using world = await start();
    using client = rawClient(world.port).send(get("/"));
    await client.until(hasResponses(1, "hello"));
    expect(world.observer).toMatchObject({ opened: 1, closed: 0 });
    using other = rawClient(world.port).send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    await other.closed;
    expect(world.observer).toMatchObject({ opened: 2, closed: 1 });
  });

  it("closes connections beyond the limit at once, and serves again below it", async () => {
    using world = await start(cleartextSpec(), { maxConnections: 1 });
    using client = rawClient(world.port).send(get("/"));
    await client.until(hasResponses(1, "hello"));
    using refused = rawClient(world.port).send(get("/"));
    expect(await refused.all()).toBe("");
    expect(world.handler.seen).toHaveLength(1);
    client.send(get("/", "Connection: close\r\n"));
    await client.closed;
    using next = rawClient(world.port).send(get("/"));
    await next.until(hasResponses(1, "hello"));
    expect(world.observer).toMatchObject({ opened: 3, closed: 2 });
  });

  it("takes a new chain under open connections", async () => {
    using world = await start();
    using client = rawClient(world.port).send(get("/"));
    await client.until(hasResponses(1, "hello"));
    world.bound.update(atPort(cleartextSpec("http.8080"), world.port));
    client.send(get("/"));
    await client.until(hasResponses(2, "hello"));
    expect(world.handler.seen.map(({ exchange }) => exchange.downstream.filterChain)).toEqual(["http.80", "http.8080"]);
  });

  it("while draining finishes what is under way, says close, and accepts nobody", async () => {
    using world = await start();
    world.handler.answer = () => {};
    using busy = rawClient(world.port).send(get("/"));
    using idle = rawClient(world.port);
    const { exchange } = await world.handler.next("request");
    let isDrained = false;
    const drain = async (): Promise<void> => {
      await world.bound.drain();
      isDrained = true;
    };
    const drained = drain();
    using late = rawClient(world.port).send(get("/"));
    expect(await late.closed).toBe("ECONNREFUSED");
    expect(isDrained).toBe(false);
    respond(exchange, 200, "hello");
    expect(await busy.all()).toMatch(/\r\nconnection: close\r\n[^]*hello$/);
    await drained;
    await idle.closed;
    expect(world.observer.closed).toBe(world.observer.opened);
  });

  it("drains at once when nothing is under way, however often it is asked", async () => {
    using world = await start();
    using idle = rawClient(world.port).send(get("/"));
    await idle.until(hasResponses(1, "hello"));
    await Promise.all([world.bound.drain(), world.bound.drain()]);
    await idle.closed;
  });

  it("ends everything when aborted, also in the middle of draining", async () => {
    using world = await start();
    world.handler.answer = () => {};
    using client = rawClient(world.port).send(get("/"));
    const { events } = await world.handler.next("request");
    const drained = world.bound.drain();
    world.bound.abort();
    await drained;
    await client.closed;
    expect(events).toEqual(["request", "aborted"]);
  });
});

describe("client addresses", () => {
  it.each([
    ["127.0.0.1", "127.0.0.1"],
    ["0000:0000:0000:0000:0000:0000:0000:0001", "::1"],
    ["2001:0db8:0000:0000:0000:0000:0000:00ff", "2001:db8::ff"],
    ["0000:0000:0000:0000:0000:ffff:0a00:0102", "10.0.1.2"],
  ])("%s is written %s", (sent, canonical) => {
    expect(canonicalAddress(sent)).toBe(canonical);
  });
});
