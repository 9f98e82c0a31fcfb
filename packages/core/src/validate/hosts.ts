// Which texts are host names, and which hosts cover each other (istio-semantics 1.1, 1.2, 2.4).
import { isIP } from "node:net";
import { isWildcardHost } from "../model/index.ts";

/** Why a text is not a host name. */
export interface HostProblem {
  readonly message: string;
  readonly hint?: string;
}

/** Letters, digits and inner hyphens; capitals are allowed, since names compare without them. */
const label = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/;

/** Null for an IP address, a DNS name, `*`, or a DNS name whose first label is `*`. */
export function hostProblem(host: string): HostProblem | null {
  if (host === "*" || isIP(host) > 0) return null;
  if (host === "") return { message: "a host must not be empty" };
  if (host.includes("://")) return { message: "a host has no scheme", hint: "Write the name only." };
  if (host.startsWith("[")) return { message: "an IPv6 address stands without brackets here" };
  if (/:\d+$/.test(host)) return { message: "a host has no port", hint: "Write the name only." };
  if (host.endsWith(".")) return { message: "a host has no trailing dot", hint: "Write it without the dot." };
  const name = host.startsWith("*.") ? host.slice(2) : host;
  if (name.includes("*")) {
    const hint = "A wildcard is the whole first label: *.example.com.";
    return { message: "a partial wildcard is not allowed", hint };
  }
  if (host.length > 253) return { message: "a host has at most 253 characters" };
  if (!name.split(".").every((part) => label.test(part))) {
    return { message: "this is not a DNS name", hint: "Each label has 1 to 63 letters, digits and inner hyphens." };
  }
  if (/^\d+$/.test(name.slice(name.lastIndexOf(".") + 1))) {
    return { message: "this is neither an IP address nor a DNS name" };
  }
  return null;
}

/** An IP address, or a network in CIDR form when allowed. */
export function isIpAddress(text: string): boolean {
  return isIP(text) > 0;
}

/** `10.0.0.0/8`, `fd00::/8`. */
export function isCidr(text: string): boolean {
  const [address = "", bits = "", ...rest] = text.split("/");
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || !/^\d{1,3}$/.test(bits)) return false;
  return Number(bits) <= (version === 4 ? 32 : 128);
}

/** A set of exact and wildcard hosts that answers overlap questions without comparing every pair. Letter case aside. */
export class HostSet {
  readonly #hosts = new Set<string>();

  constructor(hosts: Iterable<string> = []) {
    for (const host of hosts) this.add(host);
  }

  add(host: string): void {
    this.#hosts.add(host.toLowerCase());
  }

  has(host: string): boolean {
    return this.#hosts.has(host.toLowerCase());
  }

  /** The member that covers every name `host` covers: itself, or a wildcard; null when there is none. */
  covering(host: string): string | null {
    return this.has(host) ? host.toLowerCase() : this.strictlyCovering(host);
  }

  /** The narrowest wildcard, other than `host` itself, that covers every name `host` covers; null when there is none. */
  strictlyCovering(host: string): string | null {
    const lowered = host.toLowerCase();
    // Wildcards are whole labels, so only the suffixes after a dot can be members.
    for (let dot = lowered.indexOf("."); dot >= 0; dot = lowered.indexOf(".", dot + 1)) {
      const wildcard = `*${lowered.slice(dot)}`;
      if (wildcard !== lowered && this.#hosts.has(wildcard)) return wildcard;
    }
    return lowered !== "*" && this.#hosts.has("*") ? "*" : null;
  }

  /** A member that has a name in common with `host`; null when there is none. */
  intersecting(host: string): string | null {
    const covering = this.covering(host);
    if (covering !== null || !isWildcardHost(host)) return covering;
    const suffix = host.slice(1).toLowerCase();
    for (const member of this.#hosts) if (member.endsWith(suffix)) return member;
    return null;
  }
}
