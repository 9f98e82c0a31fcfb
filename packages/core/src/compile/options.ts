// What compile has to be told beside the documents: who the gateway is and how its edge is set up.
import type { Engine, SecretResource } from "../model/index.ts";

export interface CompileOptions {
  /** The gateway this table is for: Gateways select it by labels; bare credential names resolve in its namespace. */
  readonly gateway: {
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    /** `region/zone/subzone` where it runs, which endpoints nearby are preferred from; empty: none are. */
    readonly locality: string;
  };
  /** `auto` uses uWebSockets.js where it is correct to. */
  readonly engine: "auto" | Extract<Engine, "node">;
  /** What TLS listeners offer unless a Gateway says otherwise. */
  readonly alpn: readonly ("h2" | "http/1.1")[];
  /** Certificate files by the path the Gateway names; null or absent: it does not exist or cannot be read. */
  readonly files: ReadonlyMap<string, string | null>;
  /**
   * Secrets of the running table, by name. A secret that is now invalid keeps its former content, so that a half-written
   * certificate never takes a serving chain down. Absent offline.
   */
  readonly previousSecrets?: ReadonlyMap<string, SecretResource>;
  /** The time, by which certificates are judged whose validity has not begun; absent: it is not judged. */
  readonly nowMs?: number;
}

export const defaultCompileOptions: CompileOptions = {
  gateway: { namespace: "istio-system", labels: { istio: "ingressgateway" }, locality: "" },
  engine: "auto",
  alpn: ["h2", "http/1.1"],
  files: new Map(),
};
