// How a host name becomes addresses: the hosts file, then DNS, whose answers say how long they may be kept; then, for names that DNS does
// not know as they are, the system's own look-up with its search domains.
import { lookup as libcLookup, Resolver } from "node:dns/promises";
import { hostsFileAddresses } from "./hosts-file.ts";

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

export interface HostAnswer {
  readonly addresses: readonly ResolvedAddress[];
  /** How long they may be kept; null: nobody said. */
  readonly ttlMs: number | null;
}

/** Rejects when there is no answer. */
export type Lookup = (host: string) => Promise<HostAnswer>;

/** A server that is silent for this long is asked once more, then the next. The system's own patience would be 20 s. */
const serverTimeoutMs = 1500;
const tries = 2;

/**
 * The look-up of this machine.
 *
 * @param servers `127.0.0.1:53`, asked instead of those in resolv.conf, and instead of the system's look-up; empty: the system's
 */
export function systemLookup(servers: readonly string[]): Lookup {
  const resolver = new Resolver({ timeout: serverTimeoutMs, tries });
  if (servers.length > 0) resolver.setServers(servers);
  return async (host) => {
    const listed = await hostsFileAddresses(host);
    if (listed.length > 0) return { addresses: listed, ttlMs: null };
    try {
      return await askServers(resolver, host);
    } catch (error) {
      // A server that does not answer would not answer libc either, which blocks a thread while it waits.
      if (servers.length > 0 || !isUnknownName(error)) throw error;
      return { addresses: await libcLookup(host, { all: true, verbatim: true }), ttlMs: null };
    }
  };
}

/** IPv6 is only asked for when there is no IPv4: only then would it be used. */
async function askServers(resolver: Resolver, host: string): Promise<HostAnswer> {
  try {
    return toAnswer(await resolver.resolve4(host, { ttl: true }), 4);
  } catch (error) {
    if (!isUnknownName(error)) throw error;
    return toAnswer(await resolver.resolve6(host, { ttl: true }), 6);
  }
}

function toAnswer(records: readonly { readonly address: string; readonly ttl: number }[], family: number): HostAnswer {
  const ttlMs = records.reduce((least, { ttl }) => Math.min(least, ttl * 1000), Infinity);
  return { addresses: records.map(({ address }) => ({ address, family })), ttlMs };
}

/** Also where there is no server at all: the hosts file and the system's other sources may still know. */
function isUnknownName(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOTFOUND" || code === "ENODATA" || code === "ECONNREFUSED";
}
