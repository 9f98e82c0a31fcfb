// What settings alone say of access: whether callers are asked who they are, and whether the API may be served so. Without certificates and
// HTTP, for `sluice up` asks before it starts anything.
import { isLoopback, parseAddress, type Settings } from "@sluice/core/settings";

export type CtrlSettings = Settings["ctrl"];

/** True when callers must show who they are. */
export function isGuarded({ tokens, tls }: Pick<CtrlSettings, "tokens" | "tls">): boolean {
  return tokens.length > 0 || tls?.clientCa !== undefined;
}

/** Why the API must not be served like this, and what to do; null when it may. */
export function accessProblem(ctrl: Pick<CtrlSettings, "address" | "tokens" | "tls">): string | null {
  if (isGuarded(ctrl) || isLoopback(parseAddress(ctrl.address).host)) return null;
  return `ctrl.address ${ctrl.address} can be reached from other machines, and whoever reaches the API could change everything: set ctrl.tokens, or ctrl.tls with clientCa and clients, or take a loopback address`;
}
