// Compares configured subject alternative names with those of a presented certificate, type by type (istio-semantics 1.1).
import { asciiLowerCase } from "./ascii.ts";

/** The types an identity can be written in. Others (directory names, registered ids) never match. */
type SanType = "dns" | "url" | "email" | "ip";

/** One name of a certificate, decoded from its own ASN.1 field, never from a joined text that a value could forge commas into. */
export interface PresentedSan {
  readonly type: string;
  readonly value: string;
}

/**
 * The type that a configured name can stand for. Istio's list carries no types and Envoy tries all of them; one is enough and closes
 * a hole: a CA that lets clients choose DNS names must not thereby hand out `spiffe://` identities, written into a dNSName.
 */
function sanTypeOf(name: string): SanType {
  if (isIpAddress(name)) return "ip";
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(name)) return "url";
  return name.includes("@") ? "email" : "dns";
}

/** True when the presented name is the configured one, of the same type. */
export function sanMatches(configured: string, presented: PresentedSan): boolean {
  const type = sanTypeOf(configured);
  if (presented.type !== type || !isPlainText(presented.value)) return false;
  switch (type) {
    case "dns":
      return dnsNameMatches(asciiLowerCase(configured), asciiLowerCase(presented.value));
    case "ip":
      return canonicalIp(configured) === canonicalIp(presented.value);
    case "url":
    case "email":
      return configured === presented.value;
  }
}

/** The presented name may have `*` as its whole left-most label, standing for exactly one label (RFC 6125, section 6.4.3). */
function dnsNameMatches(configured: string, presented: string): boolean {
  if (configured === presented) return true;
  if (!presented.startsWith("*.")) return false;
  const dot = configured.indexOf(".");
  return dot > 0 && !configured.startsWith("*") && configured.slice(dot) === presented.slice(1);
}

/**
 * Printable ASCII without space. A NUL inside a name ends it early for readers in C (`shop.example\0.evil.example`), a control
 * character forges log lines, and Unicode has letters that look or fold alike.
 */
function isPlainText(value: string): boolean {
  return /^[\x21-\x7e]+$/.test(value);
}

function isIpAddress(text: string): boolean {
  return (
    /^\d{1,3}(\.\d{1,3}){3}$/.test(text) || (text.includes(":") && /^[\da-f:]*(\d{1,3}(\.\d{1,3}){3})?$/i.test(text))
  );
}

/** IPv6 has many spellings of one address; `URL` writes the shortest, as RFC 5952 does. Other text comes back as it is. */
function canonicalIp(text: string): string {
  if (!text.includes(":")) return text;
  return URL.canParse(`http://[${text}]`) ? new URL(`http://[${text}]`).hostname : text;
}
