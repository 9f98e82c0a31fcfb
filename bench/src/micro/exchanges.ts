// A request as browsers send it and an answer as small services give it: what the pieces of the hot path are measured with.
import { type Downstream, Exchange, type ExchangeHandler, type RequestHead } from "@sluice/edge/hot-path";

export const downstream: Downstream = {
  listener: "0.0.0.0_80",
  filterChain: "http.80",
  trust: "",
  scheme: "http",
  remoteAddress: "203.0.113.9",
  remotePort: 40_000,
  localAddress: "192.0.2.2",
  localPort: 8080,
  sni: null,
  peerCertificate: null,
  tlsVersion: null,
};

/** Flat, names in lower case. */
export const requestFields: readonly string[] = [
  "user-agent",
  "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
  "accept",
  "application/json",
  "accept-language",
  "en-US,en;q=0.5",
  "accept-encoding",
  "gzip, deflate, br",
  "referer",
  "https://app.example/cart",
  "cookie",
  "session=2c1b0a8d6f; theme=dark",
  "x-requested-with",
  "XMLHttpRequest",
];

export const requestHead: RequestHead = {
  method: "GET",
  target: "/api/items/17?page=2",
  authority: "app.example",
  protocol: "HTTP/1.1",
  headers: [...requestFields],
  bodyLength: 0,
  upgrade: null,
};

export const body = Buffer.from('{"ok":true,"message":"hello"}');

/** As the upstream's parser hands them on. */
export const responseFields: readonly string[] = [
  "server",
  "backend",
  "date",
  "Mon, 23 Nov 2026 14:47:39 GMT",
  "content-type",
  "application/json",
  "cache-control",
  "no-store",
  "x-powered-by",
  "backend",
];

/** Flat fields as lines. */
export function linesOf(fields: readonly string[]): string {
  let lines = "";
  for (let i = 0; i < fields.length; i += 2) lines += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return lines;
}

export const ignoringHandler: ExchangeHandler = {
  onRequest() {},
  onRequestData() {},
  onRequestEnd() {},
  onDownstreamDrain() {},
  onDownstreamAborted() {},
  onUpstreamInformational() {},
  onUpstreamHead() {},
  onUpstreamData() {},
  onUpstreamHalfEnd() {},
  onUpstreamEnd() {},
  onUpstreamFlush() {},
  onUpstreamError() {},
  onUpstreamDrain() {},
};

/** An exchange that no engine carries. */
export class LoneExchange extends Exchange {
  constructor() {
    super(ignoringHandler, downstream, requestHead);
  }

  sendInformational(): void {}
  sendHead(): void {}
  sendData(): boolean {
    return true;
  }
  sendEnd(): void {}
  flush(): void {}
  reset(): void {}
  pauseBody(): void {}
  resumeBody(): void {}
}
