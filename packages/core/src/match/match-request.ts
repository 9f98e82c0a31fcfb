// What the matcher asks of a request. The edge's Exchange implements it, so that matching copies nothing.

/** One request as routes see it. Nothing is called or read unless a route of the virtual host needs it. */
export interface MatchRequest {
  /** Normalised (`normalizePath`), without query. */
  readonly path: string;
  /** As sent, without `?`; empty when there is none. */
  readonly query: string;
  readonly method: string;
  /** The Host header or `:authority` as sent, with its port. */
  readonly authority: string;
  /** `http` or `https`, from the connection and never from a header. */
  readonly scheme: string;
  /** Value of the header of this lower-case name, repeated ones joined with `,`; null when absent. */
  header(name: string): string | null;
}
