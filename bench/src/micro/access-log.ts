// A line of the access log, in both formats.
import { accessLogEntry, formatText } from "@sluice/edge/hot-path";
import { LoneExchange } from "./exchanges.ts";
import { assertIs, measure, printMeasures } from "./measure.ts";

/** Answered by an upstream. */
function finishedExchange(): LoneExchange {
  const exchange = new LoneExchange();
  exchange.status = 200;
  exchange.bytesSent = 29;
  exchange.requestId = "b6fd1e2c-9c41-4a52-8d57-0f3f1c3a7e10";
  exchange.cluster = "outbound|80||shop.default.svc.cluster.local";
  exchange.upstreamStartedAt = exchange.startedAt;
  exchange.upstreamRespondedAt = exchange.startedAt + 1;
  return exchange;
}

export async function benchAccessLog(): Promise<void> {
  const exchange = finishedExchange();
  const text = (): string => formatText(accessLogEntry(exchange));
  const json = (): string => `${JSON.stringify(accessLogEntry(exchange))}\n`;
  assertIs(/^\[.*Z\] "GET \/api\/items\/17\?page=2 HTTP\/1\.1" 200 - .*\n$/.test(text()), true, text());
  const { method, response_code: code } = JSON.parse(json()) as { method: string; response_code: number };
  assertIs(`${method} ${code}`, "GET 200", json());
  // Written, a line is bytes: a string that nobody reads is never put together.
  const target = Buffer.alloc(4096);
  printMeasures("A line of the access log", [
    await measure("Istio's text", () => target.write(text())),
    await measure("Istio's JSON", () => target.write(json())),
  ]);
}
