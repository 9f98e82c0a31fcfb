// The naive reading of names: which of many candidates claims a host or server name most specifically (istio-semantics 2.2, 2.4).
import { hostCovers, isWildcardHost } from "../model/host.ts";
import type { FilterChain, VirtualHost } from "../model/index.ts";
import type { Diary } from "./diary.ts";
import { quote } from "./quote.ts";

/** Something that claims names. */
interface Claimant {
  readonly name: string;
  readonly claims: readonly string[];
}

/** The claim that covers `host` most specifically, null when none does. Exact beats wildcard, a longer wildcard a shorter one. */
function bestClaim(claims: readonly string[], host: string): string | null {
  let best: string | null = null;
  for (const claim of claims) {
    const covers = claim === "*" || (host !== "" && hostCovers(claim, host));
    if (covers && (best === null || specificity(claim) > specificity(best))) best = claim;
  }
  return best;
}

function specificity(claim: string): number {
  return isWildcardHost(claim) ? claim.length : Number.POSITIVE_INFINITY;
}

/** Index of the claimant with the most specific claim, the first among equals; -1 when none claims the host. */
function mostSpecific(claimants: readonly Claimant[], host: string): number {
  let winner = -1;
  let best: string | null = null;
  for (const [index, { claims }] of claimants.entries()) {
    const claim = bestClaim(claims, host);
    if (claim === null || (best !== null && specificity(claim) <= specificity(best))) continue;
    [winner, best] = [index, claim];
  }
  return winner;
}

/** The virtual host of a normalised host, or null. Only this one's routes count, whatever less specific ones would match. */
export function readVirtualHost(
  virtualHosts: readonly VirtualHost[],
  host: string,
  diary: Diary | null,
): VirtualHost | null {
  const claimants = virtualHosts.map(({ name, domains }) => ({ name, claims: domains }));
  const winner = mostSpecific(claimants, host);
  if (diary === null) return virtualHosts[winner] ?? null;
  for (const [index, { name, claims }] of claimants.entries()) {
    if (index === winner) continue;
    const claim = bestClaim(claims, host);
    diary.rejected("virtual-host", name, claim === null ? missing("host", host, claims) : lessSpecific(claim));
  }
  const chosen = virtualHosts[winner];
  if (chosen === undefined) return null;
  diary.matched("virtual-host", chosen.name, `host ${quote(host)} is covered by ${bestClaim(chosen.domains, host)}`);
  return chosen;
}

/** The filter chain of a server name (normalised, null when there is none), or null: the connection is closed. */
export function readFilterChain(
  chains: readonly FilterChain[],
  name: string | null,
  diary: Diary | null,
): FilterChain | null {
  const claimants = chains.map((chain) => ({ name: chain.name, claims: chain.serverNames }));
  const named = name === null ? -1 : mostSpecific(claimants, name);
  const winner = named >= 0 ? named : chains.findIndex((chain) => chain.serverNames.length === 0);
  if (diary === null) return chains[winner] ?? null;
  for (const [index, chain] of chains.entries()) {
    if (index !== winner) diary.rejected("filter-chain", chain.name, rejectChain(chain, name));
  }
  const chosen = chains[winner];
  if (chosen === undefined) return null;
  const claim = name === null ? null : bestClaim(chosen.serverNames, name);
  const reason =
    claim === null
      ? "it has no server names and takes what no other chain claims"
      : `SNI ${quote(name ?? "")} is covered by ${claim}`;
  diary.matched("filter-chain", chosen.name, reason);
  return chosen;
}

function rejectChain({ serverNames }: FilterChain, name: string | null): string {
  if (serverNames.length === 0) return "another chain claims the server name";
  if (name === null) return `the client sends no SNI; this chain wants ${listNames(serverNames)}`;
  const claim = bestClaim(serverNames, name);
  return claim === null ? missing("SNI", name, serverNames) : lessSpecific(claim);
}

function missing(what: string, name: string, claims: readonly string[]): string {
  const parent = claims.find((claim) => claim === `*.${name}`);
  if (parent !== undefined) return `${what} ${quote(name)} is not below itself: ${parent} needs a label in place of *`;
  return `${what} ${quote(name)} is not ${listNames(claims)}`;
}

function lessSpecific(claim: string): string {
  return `it covers the name with ${claim}, but another claims it more specifically`;
}

function listNames(names: readonly string[]): string {
  if (names.length <= 5) return names.join(" or ");
  return `${names.slice(0, 5).join(", ")} or ${names.length - 5} others`;
}
