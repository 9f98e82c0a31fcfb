// What the endpoints work with: the parts of the control plane, put together elsewhere.
import type { Compiler } from "../compile/compiler.ts";
import type { CertificateStatus } from "../publish/certificate-watch.ts";
import type { EdgeStatus } from "../publish/edge-status.ts";
import type { Convergence } from "../push/convergence.ts";
import type { Pusher } from "../push/pusher.ts";
import type { LiveTable } from "../store/live-table.ts";
import type { ResourceStore } from "../store/resource-store.ts";
import type { VersionStore } from "../store/versions.ts";
import type { EventHub } from "./event-hub.ts";

export interface Services {
  readonly tables: VersionStore;
  readonly store: ResourceStore;
  readonly live: LiveTable;
  readonly compiler: Pick<Compiler, "readPush" | "readDeclared">;
  readonly pusher: Pusher;
  readonly convergence: Convergence;
  readonly events: EventHub;
  readonly maxEventStreams: number;
  /** The watched directory, or `off`. */
  readonly source: string;
  edges(): readonly EdgeStatus[];
  /** Nearest end first. */
  certificates(): readonly CertificateStatus[];
}
