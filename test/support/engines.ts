// The two engines a story runs on. Where uWebSockets.js cannot be loaded its lane still runs: Sluice must then serve the same on node, and
// does so with the other codec than the lane beside it.
import { createRequire } from "node:module";

type Codec = "own" | "node";
const defaultCodec: Codec = "own";

/** Who reads and writes HTTP where the engine is node, unless a story says so itself; undefined: as Sluice comes. */
export const codecOfRun = process.env["SLUICE_TEST_CODEC"] as Codec | undefined;

/** The codec of a lane's listeners on engine node. */
export function codecOf({ edge }: Pick<EngineLane, "edge">): Codec {
  return (edge["codec"] as Codec | undefined) ?? codecOfRun ?? defaultCodec;
}

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

const otherCodec: Codec = (codecOfRun ?? defaultCodec) === "own" ? "node" : "own";

/** With `[http/1.1]` alone SIMPLE ports may run on uWebSockets.js. */
export const engineLanes: readonly EngineLane[] = [
  isUwsAvailable
    ? { name: "engine auto", edge: { engine: "auto", alpn: ["http/1.1"] }, expected: "uws" }
    : {
        name: "engine auto",
        edge: { engine: "auto", alpn: ["http/1.1"], codec: otherCodec },
        expected: "node",
      },
  { name: "engine node", edge: { engine: "node" }, expected: "node" },
];
