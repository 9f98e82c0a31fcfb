// A route on one line, for people who compare: `checkout: /cart* [x-canary] → outbound|8000||cart.shop`.
import { dumpRoutes, type Json } from "@sluice/core";
import type { VirtualHost } from "@sluice/core/model";

export interface RouteText {
  readonly text: string;
  /** Everything about it: two routes with one text may still differ. */
  readonly detail: string;
}

type Fields = Readonly<Record<string, Json | undefined>>;

/** The routes of a virtual host, in order. */
export function describeRoutes(virtualHost: VirtualHost): readonly RouteText[] {
  const routeConfigs = [{ name: "", port: 0, legacyName: "", virtualHosts: [virtualHost] }];
  const [dump] = dumpRoutes({ listeners: [], routeConfigs, clusters: [], secrets: [] }, "modern");
  const [host] = asList(dump?.["virtualHosts"]);
  return asList(asFields(host)["routes"]).map((route) => ({
    text: describeRoute(asFields(route)),
    detail: JSON.stringify(route),
  }));
}

function describeRoute(route: Fields): string {
  const name = typeof route["name"] === "string" ? `${route["name"]}: ` : "";
  const match = describeMatch(asFields(route["match"]));
  if (route["redirect"] !== undefined) return `${name}${match} → redirect ${JSON.stringify(route["redirect"])}`;
  if (route["directResponse"] !== undefined) {
    return `${name}${match} → status ${JSON.stringify(asFields(route["directResponse"])["status"])}`;
  }
  return `${name}${match} → ${describeTarget(asFields(route["route"]))}`;
}

function describeMatch(match: Fields): string {
  const path =
    asText(match["path"]) ??
    withStar(asText(match["prefix"]) ?? asText(match["pathSeparatedPrefix"])) ??
    `regex ${asText(asFields(match["safeRegex"])["regex"]) ?? "*"}`;
  const conditions = [...asList(match["headers"]), ...asList(match["queryParameters"])]
    .map((condition) => asText(asFields(condition)["name"]) ?? "")
    .join(", ");
  return conditions === "" ? path : `${path} [${conditions}]`;
}

function describeTarget(target: Fields): string {
  const cluster = asText(target["cluster"]);
  if (cluster !== undefined) return cluster;
  return asList(asFields(target["weightedClusters"])["clusters"])
    .map(asFields)
    .map(({ name, weight }) => `${asText(name) ?? ""} (${JSON.stringify(weight ?? 1)})`)
    .join(", ");
}

function withStar(prefix: string | undefined): string | undefined {
  return prefix === undefined ? undefined : `${prefix}*`;
}

function asText(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function asList(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function asFields(value: Json | undefined): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}
