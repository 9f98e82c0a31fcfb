// Envoy's response flags that say something besides how an exchange failed. An exchange holds them as one number.

export const exchangeFlags = {
  /** More retries were under way in the cluster than it allows. */
  upstreamOverflow: 1,
  delayInjected: 2,
  /** The last answer would have been reason for another attempt. */
  retryLimitExceeded: 4,
} as const;

/** Sums of flags are below it. */
export const flagsBound = 8;

/** Envoy's order. */
const names = [
  [exchangeFlags.upstreamOverflow, "UO"],
  [exchangeFlags.delayInjected, "DI"],
  [exchangeFlags.retryLimitExceeded, "URX"],
] as const;

/** `UF,URX`: the failure's flag (`-` for none) and the others. */
export function flagText(failureFlag: string, flags: number): string {
  if (flags === 0) return failureFlag;
  const others = names.filter(([flag, name]) => (flags & flag) !== 0 && name !== failureFlag).map(([, name]) => name);
  // DI comes before FI, everything else that fails before the rest.
  if (failureFlag === "-") return others.join(",") || "-";
  return failureFlag === "FI" ? [...others, failureFlag].join(",") : [failureFlag, ...others].join(",");
}
