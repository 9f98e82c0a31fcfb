// What uWebSockets.js does before a handler is called, and no handler can undo. Pinned so that an engine that does better, or worse, is
// noticed; docs/adr/0001 says what follows. listen-node/http1.test.ts holds the same bytes to what they should be.
import { describe, expect, test } from "vitest";
import { isUwsMissing, start } from "./engine.ts";
import { get, hasResponses, rawClient } from "./raw-client.ts";

describe.skipIf(isUwsMissing)("bytes above 127 at the ends of a header value are lost:", () => {
  test.each(["\xe9caf\xe9", "caf\xc3\xa9", "\xff\xfecaf", "\xa0caf\x85"])("%j arrives as caf", async (value) => {
    using world = await start();
    using client = rawClient(world.port).send(get("/", `X: ${value}\r\n`));
    await client.until(hasResponses(1, "hello"));
    expect(world.handler.seen[0]?.exchange.header("x")).toBe("caf");
  });

  test.each(["\xffa.example", "a.example\xc3\xa9"])("Host %j is a.example", async (host) => {
    using world = await start();
    using client = rawClient(world.port).send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await client.until(hasResponses(1, "hello"));
    expect(world.handler.seen[0]?.exchange.authority).toBe("a.example");
  });

  test.each(["\xff3", "3\xff"])("Content-Length %j is 3", async (length) => {
    using world = await start();
    using client = rawClient(world.port).send(
      `POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${length}\r\n\r\nabc`,
    );
    await client.until(hasResponses(1, "hello"));
    expect(world.handler.seen[0]?.body.toString()).toBe("abc");
  });

  test.each(["\xffchunked", "chunked\xff"])(
    "Transfer-Encoding %j is chunked, and what follows is never a request",
    async (coding) => {
      using world = await start();
      const text = `POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: ${coding}\r\n\r\n3\r\nabc\r\n0\r\n\r\n`;
      using client = rawClient(world.port).send(text + get("/smuggled"));
      await client.closed;
      expect(world.handler.seen.map(({ exchange }) => exchange.target)).toEqual(["/"]);
    },
  );
});

describe.skipIf(isUwsMissing)("heads it does not parse wait for its timeout of about 10 s", () => {
  const host = "Host: a.example\r\n";
  const stalls: Record<string, string> = {
    "an underscore in a name": get("/", "client_id: 1\r\n"),
    "a dot in a name": get("/", "X.Foo: 1\r\n"),
    "no header field": "GET / HTTP/1.1\r\n\r\n",
    "a control character in a value": get("/", "X: a\x01b\r\n"),
    "NUL in a value": get("/", "X: a\0b\r\n"),
    "a bare CR in a value": get("/", "X: a\rb\r\n"),
    "99 header fields": get("/", "X: y\r\n".repeat(98)),
    "a folded field": `GET / HTTP/1.1\r\n${host}X: 1\r\n 2\r\n\r\n`,
    "a space before the colon": get("/", "X : 1\r\n"),
  };

  test("and end without an answer; nothing of the connection is dispatched", { timeout: 30_000 }, async () => {
    using world = await start(undefined, { maxHeaderCount: 200 });
    const answers = await Promise.all(
      Object.entries(stalls).map(async ([claim, text]) => {
        using client = rawClient(world.port).send(text + get("/behind"));
        return [claim, await client.all()];
      }),
    );
    expect(Object.fromEntries(answers)).toEqual(Object.fromEntries(Object.keys(stalls).map((claim) => [claim, ""])));
    expect(world.handler.seen).toEqual([]);
  });
});
