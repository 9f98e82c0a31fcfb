// The event stream, from the hub and from the API.
import { EventEmitter, once } from "node:events";
import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { EventHub } from "../src/api/event-hub.ts";
import { plainGateway } from "./support/configurations.ts";
import { FakeEdge } from "./support/fake-edge.ts";
import { RunningPlane } from "./support/running-plane.ts";

interface Event {
  readonly id: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A client that keeps what it was told. */
class Listener implements Disposable {
  readonly events: Event[] = [];
  readonly #response: IncomingMessage;
  readonly #news = new EventEmitter();

  private constructor(response: IncomingMessage) {
    this.#response = response;
    let rest = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      const blocks = (rest + chunk).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) if (!block.startsWith(":")) this.events.push(parse(block));
      this.#news.emit("news");
    });
    response.on("error", () => {});
  }

  static async connect(url: string, headers: Record<string, string> = {}): Promise<Listener> {
    const response = await new Promise<IncomingMessage>((resolve) => get(url, { headers }, resolve));
    expect([response.statusCode, response.headers["content-type"]]).toEqual([200, "text/event-stream"]);
    return new Listener(response);
  }

  async until(event: string): Promise<Event> {
    for (;;) {
      const found = this.events.find((one) => one.event === event);
      if (found !== undefined) return found;
      await once(this.#news, "news");
    }
  }

  [Symbol.dispose](): void {
    this.#response.destroy();
  }
}

function parse(block: string): Event {
  const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s, 2) as [string, string]));
  return {
    id: fields["id"] ?? "",
    event: fields["event"] ?? "",
    data: JSON.parse(fields["data"] ?? "{}") as object as Event["data"],
  };
}

describe("the event stream", () => {
  it("tells of a push, of the edge that serves it, of one that refuses, and of the rollback", async () => {
    await using plane = await RunningPlane.start({ "a.yaml": plainGateway(8080) });
    using edge = await FakeEdge.greet(plane.socketPath, "edge-1");
    const { version } = await edge.accept();
    using listener = await Listener.connect(`${plane.url}/v1/events`);
    expect((await listener.until("hello")).data).toEqual({ version, number: 0 });
    const route =
      plainGateway(8080).split("---\n")[1]?.replace("name: shop,", "name: other,").replace('"/"', '"/other"') ?? "";
    const headers = { "content-type": "application/yaml" };
    const apply = fetch(`${plane.url}/v1/apply`, { method: "POST", body: route, headers });
    const commit = await edge.expect("commit");
    expect((await listener.until("version")).data).toMatchObject({
      version: commit.version,
      number: 1,
      origin: "push",
    });
    expect((await listener.until("attempt")).data).toMatchObject({ outcome: "published", origin: "push" });
    edge.nack(commit.version, "no");
    expect((await listener.until("nack")).data).toMatchObject({
      version: commit.version,
      reason: "no",
      current: version,
    });
    expect((await listener.until("rollback")).data).toMatchObject({ number: 2, refused: [1] });
    await edge.accept();
    expect((await listener.until("ack")).data).toMatchObject({ edge: "edge-1", version });
    expect((await apply).status).toBe(409);
    edge[Symbol.dispose]();
    expect((await listener.until("edge")).data).toMatchObject({ edge: "edge-1", connected: false });
  });

  it("goes on after the last event that a client saw, or says that some are forgotten", async () => {
    await using plane = await RunningPlane.start({ "a.yaml": plainGateway(8080) });
    using first = await Listener.connect(`${plane.url}/v1/events`);
    await first.until("version");
    const seen = first.events.at(-1) as Event;
    await plane.save("a.yaml", plainGateway(8081));
    await plane.until<{ state: string }[]>("/v1/versions", ({ length }) => length === 2);
    using again = await Listener.connect(`${plane.url}/v1/events`, { "last-event-id": seen.id });
    await again.until("version");
    expect(again.events[0]?.data).not.toHaveProperty("missed");
    using stranger = await Listener.connect(`${plane.url}/v1/events`, { "last-event-id": "other-7" });
    expect((await stranger.until("hello")).data).toMatchObject({ missed: true });
  });

  it("is had by so many clients and no more", async () => {
    await using plane = await RunningPlane.start({ "a.yaml": plainGateway(8080) }, () => ({ maxEventStreams: 1 }));
    using listener = await Listener.connect(`${plane.url}/v1/events`);
    await listener.until("hello");
    expect((await plane.get("/v1/events")).status).toBe(503);
  });
});

describe("the event hub", () => {
  it("cuts a client off that does not keep up, and goes on for the others", async () => {
    const hub = new EventHub();
    const responses: ServerResponse[] = [];
    const server = createServer((_request, response) => {
      responses.push(response);
      hub.add(response, {}, undefined);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const slow = await new Promise<IncomingMessage>((resolve) => get(url, resolve));
    slow.on("error", () => {}).pause();
    using quick = await Listener.connect(url);
    await quick.until("hello");
    const padding = "x".repeat(64 * 1024);
    while (hub.clientCount === 2) {
      hub.emit("attempt", { padding });
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(responses[0]?.destroyed).toBe(true);
    hub.emit("rollback", { number: 1 });
    expect((await quick.until("rollback")).data).toEqual({ number: 1 });
    hub.close();
    server.closeAllConnections();
    server.close();
  });
});
