// Our own load generators (src/load/clients), for what wrk and h2load cannot do. Each is a process on the load's core that is told by one
// JSON object and reports by another.
import { fileURLToPath } from "node:url";
import { clientFiles } from "../certificates.ts";
import { hostName } from "../contender.ts";
import type { HandshakeOptions } from "../clients/handshakes.ts";
import type { MutualTlsOptions } from "../clients/mutual-tls.ts";
import type { MessageOptions } from "../clients/messages.ts";
import { limitOf, type LoadResult, type LoadTarget, type Tools } from "./load-result.ts";

/** HTTP/1.1 over mutual TLS in a closed loop. */
export function loadByMutualTls(target: LoadTarget, tools: Tools): Promise<LoadResult> {
  const { port, path, connections, seconds } = target;
  const options: MutualTlsOptions = {
    port,
    host: hostName(0),
    path,
    connections,
    seconds,
    client: clientFiles(tools.directory),
  };
  return runClient("mutual-tls", options, tools);
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

async function runClient(name: string, options: { readonly seconds: number }, tools: Tools): Promise<LoadResult> {
  const args = [clientProgram(name), JSON.stringify(options)];
  const where = { cores: tools.machine.loadCore, signal: tools.signal, limitMs: limitOf(options.seconds) };
  return JSON.parse(await tools.processes.run(process.execPath, args, where)) as LoadResult;
}
