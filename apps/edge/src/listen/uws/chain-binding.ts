// What connections of one filter chain have in common, and the `Downstream` of their requests.
import { isIPv6 } from "node:net";
import type { Downstream } from "../../exchange/downstream.ts";
import type { HttpResponse } from "./native.ts";

export interface ChainFacts {
  readonly listener: string;
  readonly filterChain: string;
  readonly scheme: "http" | "https";
  readonly sni: string | null;
  readonly place: Place;
}

/** Where a listener is bound; the port is known once it is. */
export interface Place {
  readonly address: string;
  port: number;
}

/** Clients remembered by address. Beyond it all are forgotten: cheaper than an order of use, and as good at this size. */
const maxRemembered = 4096;

/**
 * Makes `Downstream` objects. The engine has no object for a connection, only its address at every request, so requests of one
 * address share one.
 */
export class ChainBinding {
  private readonly facts: ChainFacts;
  private readonly byAddress: Map<number | string, Downstream>;

  constructor(facts: ChainFacts) {
    this.facts = facts;
    this.byAddress = new Map();
  }

  downstreamOf(res: HttpResponse): Downstream {
    const address = new Uint8Array(res.getRemoteAddress());
    // IPv4 is found by number: making a string of it took twice as long as all the rest here.
    const key = address.length === 4 ? readUint32(address) : Buffer.from(address).toString("latin1");
    return this.byAddress.get(key) ?? this.remember(key, Buffer.from(res.getRemoteAddressAsText()).toString("latin1"));
  }

  private remember(key: number | string, text: string): Downstream {
    if (this.byAddress.size >= maxRemembered) this.byAddress.clear();
    const { listener, filterChain, scheme, sni, place } = this.facts;
    const downstream: Downstream = {
      listener,
      filterChain,
      scheme,
      sni,
      localAddress: place.address,
      localPort: place.port,
      // No client certificate plays a role on this engine, so there is no demand that could change.
      trust: "",
      remoteAddress: canonicalAddress(text),
      remotePort: 0,
      peerCertificate: null,
      tlsVersion: null,
    };
    this.byAddress.set(key, downstream);
    return downstream;
  }
}

/** By index: taking it apart as a list costs an iterator. */
function readUint32(bytes: Uint8Array): number {
  return (((bytes[0] ?? 0) << 24) | ((bytes[1] ?? 0) << 16) | ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0)) >>> 0;
}

const mappedPrefix = "::ffff:";

/** The engine prints all eight groups of an IPv6 address; everyone else prints it short, and IPv4 as IPv4. */
export function canonicalAddress(text: string): string {
  if (!isIPv6(text)) return text;
  const short = new URL(`http://[${text}]`).hostname.slice(1, -1);
  if (!short.startsWith(mappedPrefix)) return short;
  const [high = "0", low = "0"] = short.slice(mappedPrefix.length).split(":");
  const bits = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return bits.flatMap((group) => [group >> 8, group & 255]).join(".");
}
