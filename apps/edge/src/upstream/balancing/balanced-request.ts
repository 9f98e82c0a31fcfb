// What the choice of an endpoint may depend on.
import type { Downstream } from "../../exchange/downstream.ts";

/** An exchange is one; of raw connections only the client's address is known. */
export interface BalancedRequest {
  readonly query: string;
  readonly downstream: Pick<Downstream, "remoteAddress" | "remotePort" | "localAddress" | "localPort">;
  /** Receives the cookie that was made for a client without one; see `Exchange.setCookie`. */
  setCookie: string;
  header(name: string): string | null;
}

/** A connection that carries raw bytes: it has no headers, no query, and takes no cookies. */
export class BalancedConnection implements BalancedRequest {
  readonly query = "";
  readonly downstream: BalancedRequest["downstream"];
  setCookie = "";

  constructor(downstream: BalancedRequest["downstream"]) {
    this.downstream = downstream;
  }

  header(): null {
    return null;
  }
}
