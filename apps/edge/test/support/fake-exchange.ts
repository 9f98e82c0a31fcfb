// An exchange without an engine: records what is sent to its client.
import type { Downstream } from "../../src/exchange/downstream.ts";
import { Exchange, type ExchangeHandler, type RequestHead } from "../../src/exchange/exchange.ts";

export const fakeDownstream: Downstream = {
  listener: "0.0.0.0_80",
  filterChain: "http.80",
  trust: "",
  scheme: "http",
  remoteAddress: "203.0.113.9",
  remotePort: 40_000,
  localAddress: "127.0.0.1",
  localPort: 8080,
  sni: null,
  peerCertificate: null,
  tlsVersion: null,
};

const noHandler = new Proxy({}, { get: () => () => {} }) as ExchangeHandler;

export class FakeExchange extends Exchange {
  readonly sent: { status: number; headers: readonly string[]; bodyLength: number }[] = [];
  isReset = false;
  isEnded = false;
  isBodyPaused = false;
  body = "";

  constructor(head: Partial<RequestHead> = {}, downstream: Partial<Downstream> = {}, handler = noHandler) {
    super(
      handler,
      { ...fakeDownstream, ...downstream },
      {
        method: "GET",
        target: "/",
        authority: "a.example",
        protocol: "HTTP/1.1",
        headers: [],
        bodyLength: 0,
        upgrade: null,
        ...head,
      },
    );
  }

  override sendInformational(): void {}

  override sendHead(status: number, headers: readonly string[], bodyLength: number): void {
    this.sent.push({ status, headers, bodyLength });
  }

  override sendData(chunk: Uint8Array): boolean {
    this.body += Buffer.from(chunk).toString("latin1");
    return true;
  }

  override sendEnd(): void {
    this.isEnded = true;
  }

  override flush(): void {}

  override reset(): void {
    this.isReset = true;
  }

  override pauseBody(): void {
    this.isBodyPaused = true;
  }

  override resumeBody(): void {
    this.isBodyPaused = false;
  }

  /** Headers of the response, repeated names joined. */
  get responseHeaders(): Record<string, string> {
    const headers = this.sent[0]?.headers ?? [];
    return headerObject(
      headers.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${headers[index + 1] ?? ""}`] : [])),
    );
  }
}

/** A flat header list as an object; repeated names joined. */
export function headerObject(lines: readonly string[]): Record<string, string> {
  const result: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    const value = line.slice(colon + 2);
    result[name] = name in result ? `${result[name]}|${value}` : value;
  }
  return result;
}
