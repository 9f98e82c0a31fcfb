// Reads the server name and the offered protocols out of the first bytes of a TLS connection, before any TLS server is chosen for
// it. Pure: bytes in, result out; nothing is trusted and nothing throws. RFC 8446, sections 4.1.2 and 5.1; RFC 6066, section 3.
import { ByteCursor } from "./byte-cursor.ts";

export interface ClientHello {
  /** As sent, one character a byte; null without the extension. */
  readonly serverName: string | null;
  /** Offered application protocols in the client's order. */
  readonly alpn: readonly string[];
}

export type ClientHelloFault = "not_tls" | "malformed_client_hello" | "client_hello_too_large";

export type ClientHelloResult =
  | { readonly kind: "complete"; readonly hello: ClientHello }
  /** All fine so far: ask again with more bytes. */
  | { readonly kind: "incomplete" }
  | { readonly kind: "refused"; readonly reason: ClientHelloFault };

/**
 * The longest ClientHello that is read. Browsers send 0.5 to 2 KiB, also with post-quantum key shares; the rest is room for long
 * session tickets. Bounds what an unauthenticated client can make a worker hold.
 */
export const maxClientHelloBytes = 32 * 1024;

/** Honest clients need one to three. A client that puts one byte in each record only wants work done. */
const maxRecords = 128;

const recordHeaderBytes = 5;
const handshakeHeaderBytes = 4;
const handshakeRecord = 22;
const clientHelloMessage = 1;
const maxRecordBytes = 16 * 1024;

const serverNameExtension = 0;
const alpnExtension = 16;
const hostNameType = 0;

const incomplete: ClientHelloResult = { kind: "incomplete" };

/**
 * Parses everything received so far on a connection.
 *
 * @param bytes from the first byte on; called again with a longer run after `incomplete`
 */
export function parseClientHello(bytes: Uint8Array): ClientHelloResult {
  const message = collectHandshake(bytes);
  if (!(message instanceof Uint8Array)) return message;
  const hello = parseBody(message.subarray(handshakeHeaderBytes));
  return hello === null ? refuse("malformed_client_hello") : { kind: "complete", hello };
}

/** The first handshake message, put together from as many records as it was cut into. */
function collectHandshake(bytes: Uint8Array): Uint8Array | ClientHelloResult {
  const fragments: Uint8Array[] = [];
  let collected = 0;
  for (let at = 0; fragments.length < maxRecords;) {
    const fault = recordFault(bytes, at);
    if (fault !== null) return refuse(fault);
    if (bytes.length < at + recordHeaderBytes) return incomplete;
    const end = at + recordHeaderBytes + recordLength(bytes, at);
    const fragment = bytes.subarray(at + recordHeaderBytes, end);
    if (fragments.length === 0 && fragment.length > 0 && fragment[0] !== clientHelloMessage) {
      return refuse("malformed_client_hello");
    }
    fragments.push(fragment);
    collected += fragment.length;
    const wanted = collected < handshakeHeaderBytes ? Infinity : messageLength(fragments);
    if (wanted !== Infinity && wanted > maxClientHelloBytes) return refuse("client_hello_too_large");
    if (collected >= wanted) return Buffer.concat(fragments).subarray(0, wanted);
    if (end > bytes.length) return incomplete;
    at = end;
  }
  return refuse("client_hello_too_large");
}

/** What is wrong with as much of the record header as is there. */
function recordFault(bytes: Uint8Array, at: number): ClientHelloFault | null {
  const type = bytes[at] ?? handshakeRecord;
  const majorVersion = bytes[at + 1] ?? 3;
  if (type !== handshakeRecord || majorVersion !== 3) return at === 0 ? "not_tls" : "malformed_client_hello";
  if (bytes.length < at + recordHeaderBytes) return null;
  // RFC 8446, 5.1: no empty handshake fragments. They would let a client send records for ever without saying anything.
  const length = recordLength(bytes, at);
  return length === 0 || length > maxRecordBytes ? "malformed_client_hello" : null;
}

function recordLength(bytes: Uint8Array, at: number): number {
  return (bytes[at + 3] ?? 0) * 256 + (bytes[at + 4] ?? 0);
}

/** Header and body in bytes. Fragments are not empty, so the four bytes of the header are in the first four of them. */
function messageLength(fragments: readonly Uint8Array[]): number {
  const [first] = fragments;
  const header =
    first !== undefined && first.length >= handshakeHeaderBytes ? first : Buffer.concat(fragments.slice(0, 4));
  return handshakeHeaderBytes + (header[1] ?? 0) * 65_536 + (header[2] ?? 0) * 256 + (header[3] ?? 0);
}

function parseBody(body: Uint8Array): ClientHello | null {
  const cursor = new ByteCursor(body);
  cursor.skip(2 + 32); // legacy_version, random
  cursor.skip(cursor.uint8()); // legacy_session_id
  cursor.skip(cursor.uint16()); // cipher_suites
  cursor.skip(cursor.uint8()); // legacy_compression_methods
  if (cursor.isBroken) return null;
  if (cursor.isAtEnd) return { serverName: null, alpn: [] };
  const extensions = cursor.take(cursor.uint16());
  return cursor.isBroken || !cursor.isAtEnd ? null : parseExtensions(extensions);
}

function parseExtensions(bytes: Uint8Array): ClientHello | null {
  const cursor = new ByteCursor(bytes);
  let serverName: string | null = null;
  let alpn: readonly string[] | null = null;
  while (!cursor.isAtEnd && !cursor.isBroken) {
    const type = cursor.uint16();
    const data = cursor.take(cursor.uint16());
    // An extension sent twice is refused: which of two server names counts must not be a matter of who reads them.
    if (type === serverNameExtension) {
      if (serverName !== null) return null;
      serverName = parseServerName(data);
      if (serverName === null) return null;
    } else if (type === alpnExtension) {
      if (alpn !== null) return null;
      alpn = parseAlpn(data);
      if (alpn === null) return null;
    }
  }
  return cursor.isBroken ? null : { serverName, alpn: alpn ?? [] };
}

/** RFC 6066, section 3: a list that in practice holds exactly one host name. Two would be two opinions. */
function parseServerName(bytes: Uint8Array): string | null {
  const cursor = new ByteCursor(bytes);
  const listLength = cursor.uint16();
  const type = cursor.uint8();
  const name = cursor.take(cursor.uint16());
  if (cursor.isBroken || !cursor.isAtEnd || listLength !== bytes.length - 2) return null;
  return type === hostNameType && name.length > 0 ? latin1(name) : null;
}

/** RFC 7301, section 3.1. */
function parseAlpn(bytes: Uint8Array): readonly string[] | null {
  const cursor = new ByteCursor(bytes);
  if (cursor.uint16() !== bytes.length - 2) return null;
  const protocols: string[] = [];
  while (!cursor.isAtEnd && !cursor.isBroken) {
    const protocol = cursor.take(cursor.uint8());
    if (protocol.length === 0) return null;
    protocols.push(latin1(protocol));
  }
  return cursor.isBroken || protocols.length === 0 ? null : protocols;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

function refuse(reason: ClientHelloFault): ClientHelloResult {
  return { kind: "refused", reason };
}
