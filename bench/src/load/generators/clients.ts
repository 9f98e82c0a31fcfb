// Our own load generators (src/load/clients), for what wrk and h2load cannot do. Each is a process on the load's core that is told by one
// JSON object and reports by another.
import { fileURLToPath } from "node:url";
import { clientFiles } from "../certificates.ts";
import { hostName } from "../contender.ts";
import type { HandshakeOptions } from "../clients/handshakes.ts";
import type { RequestOptions } from "../clients/requests.ts";
import type { MessageOptions } from "../clients/messages.ts";
import type { LoadResult, LoadTarget, Tools } from "./load-result.ts";

/** HTTP/1.1 by one process of ours: over mutual TLS, or in an open loop at a rate of requests a second. */
export function loadByRequests(target: LoadTarget, rate: number | null, tools: Tools): Promise<LoadResult> {
  const { port, door, path, connections, seconds } = target;
  const options: RequestOptions = {
    port,
    host: hostName(0),
    path,
    connections,
    seconds,
    rate,
    isSecure: door !== "plain",
    client: door === "mtls" ? clientFiles(tools.directory) : null,
  };
  return runClient("requests", options, tools);
}

/** New TLS connections, each with one request. */
export function loadByHandshakes(target: LoadTarget, isResumed: boolean, tools: Tools): Promise<LoadResult> {
  const { port, path, connections, seconds } = target;
  const options: HandshakeOptions = { port, host: hostName(0), path, connections, seconds, isResumed };
  return runClient("handshakes", options, tools);
}

/** WebSocket messages, one under way on each connection. */
export function loadByMessages(target: LoadTarget, tools: Tools): Promise<LoadResult> {
  const { port, path, connections, seconds, bodyBytes } = target;
  const options: MessageOptions = { port, host: hostName(0), path, connections, seconds, messageBytes: bodyBytes };
  return runClient("messages", options, tools);
}

/** Path of a client's program. */
export function clientProgram(name: string): string {
  return fileURLToPath(new URL(`../clients/${name}.js`, import.meta.url));
}

async function runClient(name: string, options: object, tools: Tools): Promise<LoadResult> {
  const args = [clientProgram(name), JSON.stringify(options)];
  const where = { cores: tools.machine.loadCore, signal: tools.signal };
  return JSON.parse(await tools.processes.run(process.execPath, args, where)) as LoadResult;
}
