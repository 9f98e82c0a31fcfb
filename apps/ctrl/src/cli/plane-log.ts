// What the control plane writes to its log.
import { type Diagnostic, describeExpiry, type ExpiryWarning } from "@sluice/core/model";
import type { PublisherEvents } from "../publish/server.ts";
import type { VersionRecord } from "../store/resource-store.ts";
import type { Outcome } from "../store/versions.ts";
import type { Logger } from "./log.ts";
import { describeFinding } from "./render-diagnostics.ts";
import { StrangerLog } from "./stranger-log.ts";

export function logDiagnostics(log: Logger, diagnostics: readonly Diagnostic[]): void {
  for (const diagnostic of diagnostics) {
    const { severity, code, file, line, column, path, resource } = diagnostic;
    log[severity === "error" ? "error" : "warn"](
      { code, file, line, column, path, resource },
      describeFinding(diagnostic),
    );
  }
}

/** @param running the version that runs after it */
export function logOutcome(
  log: Logger,
  outcome: Outcome,
  { version, running }: { readonly version: string | null; readonly running: string | null },
): void {
  switch (outcome) {
    case "published":
      return log.info({ version }, "version published");
    case "repeat":
      return log.debug({ version }, "nothing changed");
    case "invalid":
      return log.error({ running }, "configuration refused; the running version stays");
    case "withheld":
      return log.warn({ version, running }, "version withheld: an edge refused it before");
  }
}

export function logExpiry(log: Logger, warning: ExpiryWarning): void {
  const { secret, kind, stage, daysLeft } = warning;
  log[stage === "soon" ? "warn" : "error"]({ secret, kind, daysLeft }, describeExpiry(warning));
}

export function logPublishing(log: Logger): PublisherEvents {
  const strangers = new StrangerLog(log);
  return {
    onConnect: ({ id, address, version }) => log.info({ edge: id, address, version }, "edge connected"),
    onDisconnect: ({ id }, reason) => {
      if (reason === null) log.info({ edge: id }, "edge disconnected");
      else log.warn({ edge: id, reason }, "edge cut off");
    },
    onAck: ({ id }, version) => log.info({ edge: id, version }, "edge serves version"),
    onRollback: ({ edge, version, reason, current }) =>
      log.error({ edge, version, reason, current }, "edge refused version"),
    onStranger: (address, reason) => strangers.note(address, reason),
    onCredentials: (problem) => {
      if (problem === null) log.info("ctrl.publish.tls: the files as they are now are in use");
      else
        log.error({ problem }, "ctrl.publish.tls: what is in the files now cannot be used; what was there before is");
    },
  };
}

export function logUndone(log: Logger, { number, refused, restores, reason }: VersionRecord): void {
  log.error({ number, refused, restores, reason }, "pushed versions taken back");
}
