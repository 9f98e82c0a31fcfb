// The one line that says everything is bound and the first table is live in every worker (CONTRACT, "Running").
import { setTimeout } from "node:timers/promises";
import { parseAddress, toHttpUrl } from "@sluice/core/settings";
import type { Edge } from "./edge.ts";

const ctrlWaitMs = 3000;
const ctrlPollMs = 20;

export interface ReadyLineSource {
  readonly edge: Edge;
  readonly workers: number;
  readonly adminUrl: string;
  /** `ctrl.address` of the settings; null where ctrl is on another machine, which alone knows its address. */
  readonly ctrlAddress: string | null;
}

/** Prints it. Waits a little for ctrl where only ctrl knows its port; ctrl may be away when the table came from disk. */
export async function printReadyLine({ edge, workers, adminUrl, ctrlAddress }: ReadyLineSource): Promise<void> {
  const { host, port } = parseAddress(ctrlAddress ?? "elsewhere:0");
  const waitMs = port === 0 && ctrlAddress !== null ? ctrlWaitMs : 0;
  for (let waitedMs = 0; edge.ctrlUrl === null && waitedMs < waitMs; waitedMs += ctrlPollMs) {
    await setTimeout(ctrlPollMs);
  }
  const line = {
    event: "ready",
    version: edge.pool.live?.bytes.version ?? "",
    workers,
    listeners: edge.pool.slots[0]?.listeners ?? [],
    admin: adminUrl,
    ctrl: edge.ctrlUrl ?? (port === 0 ? null : toHttpUrl(host, port)),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  // To `sluice up`, which starts an edge again only if it once was ready.
  process.send?.({ event: "ready" });
}
