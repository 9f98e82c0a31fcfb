// What may be asked and how the answer looks. `Explanation` is the JSON of `sluice explain`, key by key (CONTRACT).

/** A connection and a request on it, as a client would make them. */
export interface Question {
  /** The listener's port as `pc listener` prints it. */
  readonly port: number;
  /** The Host header, with or without port. */
  readonly host: string;
  readonly scheme: "http" | "https" | "tcp";
  /** The server name in the ClientHello; null when the client sends none. */
  readonly sni: string | null;
  /** With query, if any: `/p?q`. */
  readonly path: string;
  readonly method: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** PEM, leaf first, with intermediates if the client would send them; null when it presents none. */
  readonly clientCertificate: string | null;
  /** The moment at which certificates must be valid, in milliseconds since 1970; absent: validity periods are not looked at. */
  readonly nowMs?: number | undefined;
}

export type Action = "forward" | "redirect" | "direct-response" | "tcp" | "passthrough" | "reject";

/**
 * - `no-listener`: nothing listens on the port.
 * - `no-filter-chain`: no chain of the listener takes the connection; it is closed.
 * - `plaintext-on-tls`: `http` was asked of a TLS listener; `tls-on-plaintext`: `https` of a cleartext one.
 * - `tls-required`: `tcp` was asked of a TLS listener. (A virtual host with `httpsRedirect` is no error: it answers 301.)
 * - `client-certificate-required`: none was presented, or one that is not accepted; `steps` tell which.
 * - `no-virtual-host`, `no-route`: 404.
 */
export type ErrorCode =
  | "no-listener"
  | "no-filter-chain"
  | "tls-required"
  | "no-virtual-host"
  | "no-route"
  | "plaintext-on-tls"
  | "tls-on-plaintext"
  | "client-certificate-required";

export type Stage =
  | "listener"
  | "filter-chain"
  | "server-certificate"
  | "client-certificate"
  | "path"
  | "authority"
  | "virtual-host"
  | "https-redirect"
  | "route"
  | "near-miss"
  | "redirect"
  | "direct-response"
  | "policy"
  | "cluster"
  | "endpoint";

/** One candidate that was looked at. */
export interface Step {
  readonly stage: Stage;
  readonly candidate: string;
  readonly result: "matched" | "rejected";
  readonly reason: string;
}

/** The answer. Every key is always there. */
export interface Explanation {
  readonly listener: string | null;
  readonly filterChain: string | null;
  readonly routeConfig: string | null;
  /** `host:port` as in `pc route`. */
  readonly virtualHost: string | null;
  /** The route's name, or its index where it has none. */
  readonly route: string | number | null;
  /** The heaviest of `clusters`. */
  readonly cluster: string | null;
  readonly clusters: readonly { readonly name: string; readonly weight: number }[];
  readonly action: Action;
  /** The status that Sluice itself answers; null when the upstream answers, or nobody does. */
  readonly status: number | null;
  readonly location: string | null;
  readonly error: ErrorCode | null;
  readonly steps: readonly Step[];
}
