// A browser in front of Sluice's own codecs, over TLS with HTTP/2 and with HTTP/1.1: pages of many parts, uploads, events, WebSockets,
// a large download, and one that the user walks away from.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createAuthority } from "@sluice/demo/certificates";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Chromium, hasChromium, type Page } from "../support/chromium.ts";
import { documents, gatewayResource, httpsServer, service, tlsSecret, virtualService } from "../support/config.ts";
import { readExposition } from "../support/exposition.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { largeBodySum, PageBackend } from "../support/page-backend.ts";

const host = "site.example";
const parts = 120;
const MiB = 1024 * 1024;

const doors = [
  { name: "HTTP/2", protocol: "h2", port: 443, alpn: "h2,http/1.1" },
  { name: "HTTP/1.1", protocol: "http/1.1", port: 8443, alpn: "http/1.1" },
] as const;

describe.skipIf(!hasChromium)("headless Chromium", () => {
  let backend: PageBackend;
  let world: Gateway;
  let browser: Chromium;

  beforeAll(async () => {
    const authority = await createAuthority({ commonName: "story ca" });
    const certificate = await authority.issue({ commonName: "site", dnsNames: [host] });
    backend = await PageBackend.start();
    const tls = { mode: "SIMPLE", credentialName: "site" };
    const config = documents(
      ...doors.map(({ protocol, port, alpn }) =>
        gatewayResource(`site-${protocol.replace(/\W/g, "-")}`, [httpsServer([host], tls, { port })], {
          "sluice.dev/engine": "node",
          "sluice.dev/alpn": alpn,
        }),
      ),
      virtualService("site", { hosts: [host], gateways: ["site-h2", "site-http-1-1"], destination: "site" }),
      ...service("site", backend.port),
      tlsSecret("site", certificate),
    );
    [world, browser] = await Promise.all([
      gateway({ config: { "site.yaml": config }, ports: [443, 8443], edge: { workers: 1, codec: "own" } }),
      Chromium.start({ trusted: certificate.chainPem }),
    ]);
  });

  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  describe.each(doors)("over $name", ({ port, protocol }) => {
    let page: Page;
    const url = (path: string, scheme = "https"): string => `${scheme}://${host}:${world.port(port)}${path}`;

    beforeEach(async () => {
      page = await browser.open(url("/page/0"));
    });

    test(`loads a page of ${parts} parts`, async () => {
      await page.go(url(`/page/${parts}`));
      const loaded = (await page.run("loaded")) as number[];
      expect(loaded.toSorted((left, right) => left - right)).toEqual(Array.from({ length: parts }, (_, i) => i));
      const spoken = await page.run(
        `[...new Set([...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map(({ nextHopProtocol }) => nextHopProtocol))]`,
      );
      expect(spoken).toEqual([protocol]);
    });

    test("loads the same page again and again, whatever is under way", async () => {
      for (let i = 0; i < 5; i++) {
        // Not waited for: the next one comes into the middle of it.
        // eslint-disable-next-line no-await-in-loop
        await page.begin(url(`/page/${parts}`));
      }
      await page.go(url(`/page/${parts}`));
      expect(await page.run("loaded.length")).toBe(parts);
    });

    test("uploads eight mebibytes", async () => {
      const sum = await page.run(
        `fetch("/upload", { method: "POST", body: new Uint8Array(${8 * MiB}).fill(97) }).then((response) => response.text())`,
      );
      expect(sum).toBe(
        createHash("sha256")
          .update(Buffer.alloc(8 * MiB, "a"))
          .digest("hex"),
      );
    });

    test("downloads thirty-two mebibytes, with a page beside it", async () => {
      const download = page.run(`fetch("/large/32")
        .then((response) => response.arrayBuffer())
        .then((body) => crypto.subtle.digest("SHA-256", body))
        .then((sum) => [...new Uint8Array(sum)].map((byte) => byte.toString(16).padStart(2, "0")).join(""))`);
      const beside = await browser.open(url(`/page/${parts}`));
      expect(await beside.run("loaded.length")).toBe(parts);
      expect(await download).toBe(largeBodySum(32));
    });

    test("hears server-sent events one by one", async () => {
      const heard = await page.run(`new Promise((resolve, reject) => {
        const source = new EventSource("/events");
        const heard = [];
        source.onerror = () => reject(new Error("the events broke off"));
        source.onmessage = ({ data }) => {
          heard.push(data);
          if (heard.length < 3) return;
          source.close();
          resolve(heard);
        };
      })`);
      expect(heard).toEqual(["event 1", "event 2", "event 3"]);
    });

    test("talks over a WebSocket, large messages too", async () => {
      const logged = world.edge.stdout.next((line) => line.includes("/socket"));
      const echoed = await page.run(`new Promise((resolve, reject) => {
        const socket = new WebSocket("${url("/socket", "wss")}");
        const echoed = [];
        socket.binaryType = "arraybuffer";
        socket.onerror = () => reject(new Error("the WebSocket broke off"));
        socket.onopen = () => {
          socket.send("grüße");
          socket.send(new Uint8Array(${2 * MiB}).fill(1));
        };
        socket.onmessage = ({ data }) => {
          echoed.push(typeof data === "string" ? data : data.byteLength);
          if (echoed.length === 2) socket.close(1000, "enough");
        };
        socket.onclose = ({ code, wasClean }) => resolve([...echoed, code, wasClean]);
      })`);
      expect(echoed).toEqual(["grüße", 2 * MiB, 1000, true]);
      // Over HTTP/2 it is a stream of the page's own connection (RFC 8441).
      expect(await logged).toContain(`"GET /socket ${protocol === "h2" ? "HTTP/2" : "HTTP/1.1"}" 101`);
    });

    test.each([
      ["aborts the request", "stop.abort()"],
      ["reloads the page", "location.reload()"],
      ["goes elsewhere", `location.href = "about:blank"`],
    ])("walks away from a download when it %s, and the upstream is let go", async (_name, leave) => {
      const abandoned = once(backend.events, "abandoned");
      await page.run(`stop = new AbortController();
        fetch("/endless", { signal: stop.signal }).then(async ({ body }) => { reader = body.getReader(); return (await reader.read()).done; })`);
      await page.run(`void (${leave})`);
      await abandoned;
      await page.go(url("/page/10"));
      expect(await page.run("loaded.length")).toBe(10);
    });
  });

  test("is never taken for an attacker", async () => {
    expect(readExposition(await world.metrics()).sum("sluice_downstream_refused_requests_total", {})).toBe(0);
  });
});
