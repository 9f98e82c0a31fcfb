// The two engines a story runs on. Where uWebSockets.js cannot be loaded its lane still runs: Sluice must then serve the same on node.
import { createRequire } from "node:module";

export interface EngineLane {
  readonly name: string;
  /** For sluice.yaml's `edge`. */
  readonly edge: Readonly<Record<string, unknown>>;
  /** The engine that listeners must report. */
  readonly expected: "uws" | "node";
}

function canLoadUws(): boolean {
  try {
    createRequire(new URL("../../apps/edge/package.json", import.meta.url))("uWebSockets.js");
    return true;
  } catch {
    return false;
  }
}

export const isUwsAvailable = canLoadUws();

/** True where the lane's TLS listeners offer h2; without uWebSockets.js the other lane is on engine node, but still offers HTTP/1.1 only. */
export function offersHttp2({ edge }: Pick<EngineLane, "edge">): boolean {
  return edge["alpn"] === undefined;
}

/** With `[http/1.1]` alone SIMPLE ports may run on uWebSockets.js. */
export const engineLanes: readonly EngineLane[] = [
  { name: "engine auto", edge: { engine: "auto", alpn: ["http/1.1"] }, expected: isUwsAvailable ? "uws" : "node" },
  { name: "engine node", edge: { engine: "node" }, expected: "node" },
];
