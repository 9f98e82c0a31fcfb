// `localityLbSetting.distribute`: how many percent of the gateway's requests go where. The shares are worked into the endpoints' weights,
// so that whoever chooses endpoints by weight keeps to them.
import { type Endpoint, type LocalityShares, parseLocality } from "../model/index.ts";

/** The endpoints with their new weights; those in localities that get no share are left out. Null where nothing is said of the gateway's locality. */
export function shareOut(
  endpoints: readonly Endpoint[],
  distribute: readonly LocalityShares[],
  gatewayLocality: string,
): readonly Endpoint[] | null {
  const shares = distribute.find(({ from = "" }) => localityMatches(from, gatewayLocality));
  if (shares === undefined) return null;
  const weighed: { readonly endpoint: Endpoint; readonly weight: Fraction }[] = [];
  for (const [pattern, share] of Object.entries(shares.to ?? {})) {
    // Validation sees to it that no locality has two shares.
    const members = endpoints.filter(({ locality }) => localityMatches(pattern, locality));
    const denominator = totalWeight(members);
    for (const endpoint of members) {
      weighed.push({ endpoint, weight: { numerator: share * endpoint.weight, denominator } });
    }
  }
  const weights = toIntegers(weighed.map(({ weight }) => weight));
  const byEndpoint = new Map(weighed.map(({ endpoint }, index) => [endpoint, weights[index] ?? 1]));
  return endpoints.flatMap((endpoint) => {
    const weight = byEndpoint.get(endpoint);
    return weight === undefined ? [] : [{ ...endpoint, weight }];
  });
}

/** `us`, `us/*` and `us/a/*` cover what lies inside; `*` covers everything (Istio's `LocalityMatch`). */
export function localityMatches(pattern: string, locality: string): boolean {
  const wanted = parseLocality(pattern);
  const found = parseLocality(locality);
  const covers = (part: string, value: string): boolean => part === "*" || part === value;
  const isInRegion = covers(wanted.region, found.region);
  const isInZone = wanted.zone === "" || covers(wanted.zone, found.zone);
  return isInRegion && isInZone && (wanted.subzone === "" || covers(wanted.subzone, found.subzone));
}

/** A share belongs to the endpoints that can serve it, so those not ready do not thin it out. */
function totalWeight(members: readonly Endpoint[]): number {
  const ready = members.filter(({ healthy }) => healthy);
  return (ready.length > 0 ? ready : members).reduce((sum, { weight }) => sum + weight, 0);
}

interface Fraction {
  readonly numerator: number;
  readonly denominator: number;
}

/** A common denominator above this is rounded to it: one part in a million is finer than any balancer keeps to. */
const maxDenominator = 1_000_000;

/** Envoy's, a uint32. Only endpoints that are not ready can come near it: their weight is no part of the denominator. */
const maxWeight = 4_294_967_295;

/** Whole weights above 0 in the same proportions, as small as they get. */
function toIntegers(fractions: readonly Fraction[]): readonly number[] {
  const exact = fractions.reduce((common, { denominator }) => lowestCommonMultiple(common, denominator), 1);
  const common = Math.min(exact, maxDenominator);
  const scaled = fractions.map(({ numerator, denominator }) => {
    const weight = Math.round((numerator / denominator) * common);
    return Math.min(Math.max(weight, 1), maxWeight);
  });
  const divisor = scaled.reduce(greatestCommonDivisor, 0);
  return scaled.map((weight) => weight / Math.max(divisor, 1));
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Stops growing above `maxDenominator`, where the exact value no longer matters. */
function lowestCommonMultiple(a: number, b: number): number {
  return a > maxDenominator ? a : (a / greatestCommonDivisor(a, b)) * b;
}
