// /fault/{kind}: the ways a backend fails that a gateway has to survive. Only /fault/early gives a whole answer.
import { drainBody, type Exchange } from "../exchange.ts";
import { RequestError } from "../request-error.ts";

const faults = new Map<string, (exchange: Exchange) => void>([
  ["reset", resetConnection],
  ["close", closeConnection],
  ["truncate", truncateAnswer],
  ["early", answerEarly],
]);

export function answerFault(exchange: Exchange, kind: string): void {
  const fault = faults.get(kind);
  if (fault === undefined) throw new RequestError(404, `no such fault: ${[...faults.keys()].join(", ")}`);
  fault(exchange);
}

/** A TCP reset before the first byte of an answer: the client sees ECONNRESET. */
function resetConnection({ request }: Exchange): void {
  request.socket.resetAndDestroy();
}

/** An orderly end before the first byte of an answer: the client sees an empty reply. */
function closeConnection(exchange: Exchange): void {
  // Closing with unread input in the kernel's buffer would turn the end into a reset.
  drainBody(exchange);
  exchange.request.socket.end();
}

/** Promises 1000 bytes, sends 10 and ends. */
function truncateAnswer(exchange: Exchange): void {
  const { request, response } = exchange;
  drainBody(exchange);
  response.writeHead(200, { "content-type": "text/plain", "content-length": 1000 });
  // Only once the ten bytes have left: destroying sooner would drop them, which is /fault/close.
  response.write("0123456789", () => request.socket.destroy());
}

/** 200 at once, whatever of the body is still to come. With `?close=1` the connection ends too, so that the rest meets a reset. */
function answerEarly({ response, query }: Exchange): void {
  const closing = query.get("close") === "1" ? { connection: "close" } : {};
  response.writeHead(200, { "content-type": "text/plain", "content-length": 6, ...closing });
  response.end("early\n");
}
