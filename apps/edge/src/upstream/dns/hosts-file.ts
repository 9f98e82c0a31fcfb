// /etc/hosts, which goes before DNS as in the system's own look-up. Read again when it may have changed.
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import type { ResolvedAddress } from "./lookup.ts";

const path = "/etc/hosts";
const keptMs = 5000;

type Names = ReadonlyMap<string, readonly ResolvedAddress[]>;

let names: Promise<Names> | null = null;
let readAtMs = 0;

/** What the file says of a name; empty when it does not know it, or cannot be read. */
export async function hostsFileAddresses(host: string): Promise<readonly ResolvedAddress[]> {
  const nowMs = performance.now();
  if (names === null || nowMs - readAtMs > keptMs) {
    readAtMs = nowMs;
    names = readFile(path, "latin1").then(parseHostsFile, () => new Map());
  }
  return (await names).get(host.toLowerCase().replace(/\.$/, "")) ?? [];
}

/** The addresses of each name, lower case. */
export function parseHostsFile(text: string): Names {
  const found = new Map<string, ResolvedAddress[]>();
  for (const line of text.split("\n")) {
    const [address = "", ...aliases] = line.replace(/#.*/, "").trim().split(/\s+/);
    const family = isIP(address);
    if (family === 0) continue;
    for (const alias of aliases) {
      const name = alias.toLowerCase();
      const known = found.get(name);
      if (known === undefined) found.set(name, [{ address, family }]);
      else known.push({ address, family });
    }
  }
  return found;
}
