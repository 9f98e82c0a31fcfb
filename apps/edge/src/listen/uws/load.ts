// Loads uWebSockets.js, which is native code: it may not load here, and then every listener is served by listen/node.
import { createRequire } from "node:module";
import type * as uws from "uWebSockets.js";
import type { DownstreamLimits } from "../listener.ts";

export type UwsModule = typeof uws;

/** The module, or why it is not to be had. */
export type LoadedUws = { readonly uws: UwsModule } | { readonly reason: string };

/** Switches off the `uWebSockets: 20` header of every response. Left out of the type declarations upstream. */
interface Configurable {
  _cfg(key: string): void;
}

const hideVersionHeader = "999999990007";

let loaded: LoadedUws | null = null;

/**
 * Hands the engine the limits it reads from the environment. It reads them once, while it loads: call this before the first
 * `loadUws` of the process.
 */
export function prepareUwsEnvironment(limits: DownstreamLimits): void {
  process.env["UWS_HTTP_MAX_HEADERS_SIZE"] = String(limits.maxHeadBytes);
}

/** Loads the module on the first call and remembers the outcome: a failed `require` is slow and will not succeed later. */
export function loadUws(): LoadedUws {
  loaded ??= tryLoad();
  return loaded;
}

function tryLoad(): LoadedUws {
  try {
    const module = createRequire(import.meta.url)("uWebSockets.js") as UwsModule & Configurable;
    // eslint-disable-next-line no-underscore-dangle
    module._cfg(hideVersionHeader);
    return { uws: module };
  } catch (error) {
    return { reason: firstCause(error) };
  }
}

/** The package wraps the loader's message in its own, which blames the Node.js version whatever was the matter. */
function firstCause(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const lines = message.split("\n").filter((line) => line.trim() !== "");
  return (lines.at(1) ?? lines.at(0) ?? "uWebSockets.js cannot be loaded").trim();
}
