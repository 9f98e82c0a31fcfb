// What is known of the connection a request came in on; shared by all its exchanges.

/** The certificate a client proved possession of, as far as routing, headers and logs need it. */
export interface PeerCertificate {
  /** Lower-case hex SHA-256 of the certificate. */
  readonly fingerprint: string;
  /** RFC 2253 text. */
  readonly subject: string;
  readonly pem: string;
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
}

/** One accepted connection. Every field is set when it is accepted (TLS: when the handshake is done) and never changes. */
export interface Downstream {
  /** Name of the listener in the table, `0.0.0.0_443`. */
  readonly listener: string;
  /** Name of the filter chain the connection was accepted on. */
  readonly filterChain: string;
  /**
   * Digest of what the chain demanded of clients when this connection was accepted (tls/trust-digest.ts); empty where it
   * demanded nothing.
   * When the live chain demands something else, the connection may not be used any further.
   */
  readonly trust: string;
  readonly scheme: "http" | "https";
  readonly remoteAddress: string;
  /** 0 where the engine does not tell (uWebSockets.js). */
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** As the client sent it, or null. */
  readonly sni: string | null;
  readonly peerCertificate: PeerCertificate | null;
  /** `TLSv1.3`; null on cleartext, and where the engine does not tell (uWebSockets.js). */
  readonly tlsVersion: string | null;
}
