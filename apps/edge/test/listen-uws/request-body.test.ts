// Request bodies: their pieces, their end, and a reader that does not keep up.
import { describe, expect, it } from "vitest";
import { isUwsMissing, start } from "./engine.ts";
import { respond } from "./fake-handler.ts";
import { get, hasResponses, rawClient } from "./raw-client.ts";

const post = (length: number): string => `POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${length}\r\n\r\n`;

describe.skipIf(isUwsMissing)("request bodies", () => {
  it("stop being read while paused and arrive whole when resumed", async () => {
    using world = await start();
    const total = 64 * 1024 * 1024;
    world.handler.onData = (exchange, seen) => {
      if (seen.events.length === 2) exchange.pauseBody();
    };
    using client = rawClient(world.port);
    client.send(post(total));
    const body = Buffer.alloc(total, 1);
    const first = world.handler.next("data");
    const isSent = new Promise<void>((resolve) => client.socket.write(body, () => resolve()));
    const { exchange } = await first;
    // What the kernel holds and one read at most may still come; then the sender stands still.
    await stillness(() => client.socket.bytesWritten + exchange.bytesReceived);
    const receivedWhilePaused = exchange.bytesReceived;
    expect(receivedWhilePaused).toBeLessThan(2 * 1024 * 1024);
    exchange.resumeBody();
    await isSent;
    await client.until(hasResponses(1, "hello"));
    expect(exchange.bytesReceived).toBe(total);
  });

  it("are only valid during the call: the engine takes the bytes back", async () => {
    using world = await start();
    let kept: Uint8Array | null = null;
    const { handler } = world;
    const onRequestData = handler.onRequestData.bind(handler);
    handler.onRequestData = (exchange, chunk) => {
      kept = chunk;
      onRequestData(exchange, chunk);
    };
    using client = rawClient(world.port).send(`${post(5)}abcde`);
    await client.until(hasResponses(1, "hello"));
    expect(kept).toHaveLength(0);
    expect(handler.seen[0]?.body.toString()).toBe("abcde");
  });

  it("that nobody waits for are read away and the connection lives on", async () => {
    using world = await start();
    world.handler.early = (exchange) => respond(exchange, 404, "no");
    using client = rawClient(world.port).send(`${post(10)}01234`);
    await client.until(hasResponses(1, "no"));
    client.send(`56789${get("/next")}`);
    await client.until(hasResponses(2, "no"));
    expect(world.handler.seen.map(({ exchange }) => exchange.target)).toEqual(["/", "/next"]);
    expect(world.handler.seen[0]?.events).toEqual(["request"]);
  });

  it.each([
    ["in one piece", ["no"]],
    ["in two pieces", ["n", "o"]],
  ])("that are paused do not leave the connection deaf after an early answer %s", async (_claim, pieces) => {
    using world = await start();
    world.handler.early = (exchange) => {
      exchange.pauseBody();
      setImmediate(() => {
        exchange.sendHead(404, [], 2);
        for (const piece of pieces) exchange.sendData(Buffer.from(piece));
        exchange.sendEnd();
        exchange.isDone = true;
        exchange.resumeBody();
      });
    };
    using client = rawClient(world.port).send(`${post(10)}01234`);
    await client.until(hasResponses(1, "no"));
    client.send(`56789${get("/next")}`);
    await client.until(hasResponses(2, "no"));
  });

  it("that break off are reported once", async () => {
    using world = await start();
    using client = rawClient(world.port).send(`${post(10)}01234`);
    await world.handler.next("data");
    const aborted = world.handler.next("aborted");
    client.socket.destroy();
    const { events } = await aborted;
    expect(events).toEqual(["request", "data:5", "aborted"]);
  });
});

/** Resolves when a number has not changed for 20 turns of the event loop with a timer each. */
async function stillness(read: () => number): Promise<void> {
  for (let last = -1, same = 0; same < 20;) {
    // Turns follow one another.
    // eslint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, 5));
    same = read() === last ? same + 1 : 0;
    last = read();
  }
}
