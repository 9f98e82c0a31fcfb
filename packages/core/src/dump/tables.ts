// The text tables of `pc`, drawn from the modern JSON: whatever prints JSON (a file, a running control plane) can be drawn.
import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { parseClusterName } from "../compile/cluster-name.ts";
import { formatLocality } from "../model/index.ts";
import { at, list, text } from "./json-path.ts";
import type { Json, JsonObject } from "./json.ts";
import { describeRouteMatch } from "./match-text.ts";
import { redirectStatus } from "./route-action.ts";
import { formatTable } from "./text-table.ts";

type Dump = readonly JsonObject[];

/** `pc listener`: istioctl's columns, and which engine serves it and why. Sorted by port, then address. */
export function renderListenerTable(listeners: Dump): string {
  const rows = listeners.flatMap((listener) => {
    const { address, port } = readAddress(listener["address"]);
    const sluice = at(listener, "metadata", "filterMetadata", "sluice");
    const engine = [text(at(sluice, "engine")), text(at(sluice, "engineReason"))];
    return list(listener["filterChains"]).map((chain) => {
      const serverNames = list(at(chain, "filterChainMatch", "serverNames")).map(text);
      const match = serverNames.length === 0 ? "ALL" : `SNI: ${serverNames.join(",")}`;
      return [address, port, match, describeDestination(list(at(chain, "filters"))[0]), ...engine];
    });
  });
  rows.sort((a, b) => Number(a[1]) - Number(b[1]) || compareCells(a[0], b[0]));
  return formatTable(["ADDRESSES", "PORT", "MATCH", "DESTINATION", "ENGINE", "WHY"], rows);
}

function describeDestination(filter: Json | undefined): string {
  const config = at(filter, "typedConfig");
  const single = at(config, "cluster");
  const weighted = list(at(config, "weightedClusters", "clusters"));
  if (weighted.length > 0) {
    return `Cluster: ${weighted.map((entry) => `${text(at(entry, "name"))} (${text(at(entry, "weight"))})`).join(", ")}`;
  }
  return single === undefined ? `Route: ${text(at(config, "rds", "routeConfigName"))}` : `Cluster: ${text(single)}`;
}

/** `pc route`: a line a route; a virtual host without routes answers 404. */
export function renderRouteTable(routeConfigs: Dump): string {
  const rows = routeConfigs.flatMap((config) =>
    list(config["virtualHosts"]).flatMap((host) => {
      const start = [text(config["name"]), text(at(host, "name")), list(at(host, "domains")).map(text).join(", ")];
      const routes = list(at(host, "routes"));
      if (routes.length === 0) return [[...start, "/*", at(host, "requireTls") === "ALL" ? "301" : "404"]];
      return routes.map((route) => [...start, describeRouteMatch(at(route, "match")), describeRouteSource(route)]);
    }),
  );
  return formatTable(["NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"], rows);
}

/** The VirtualService; of a route that leads to no cluster also what it answers: `shop.default (redirects: 301)`. */
function describeRouteSource(route: Json): string {
  const answer = at(route, "directResponse", "status");
  if (answer !== undefined) return `${describeSource(route)} (answers: ${text(answer)})`;
  const redirect = at(route, "redirect");
  if (redirect === undefined) return describeSource(route);
  return `${describeSource(route)} (redirects: ${redirectStatus(text(at(redirect, "responseCode")))})`;
}

/** `pc cluster`. */
export function renderClusterTable(clusters: Dump): string {
  const rows = clusters.map((cluster) => {
    const { host, port, subset } = parseClusterName(text(cluster["name"])) ?? { host: "", port: "", subset: "" };
    return [
      host,
      String(port),
      subset === "" ? "-" : subset,
      "outbound",
      text(cluster["type"]),
      describeSource(cluster),
    ];
  });
  return formatTable(["SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"], rows);
}

/** `pc endpoint`. Each worker ejects endpoints by what it sees itself, which the table cannot tell: the outlier check reads OK here. */
export function renderEndpointTable(clusters: Dump): string {
  const rows = clusters.flatMap((cluster) =>
    list(cluster["hostStatuses"]).map((status) => {
      const health = text(at(status, "healthStatus", "edsHealthStatus"));
      const [priority, locality] = [text(at(status, "priority")), readLocality(at(status, "locality"))];
      const start = [readEndpoint(at(status, "address")), health, "OK", text(cluster["name"])];
      return [...start, priority === "" ? "0" : priority, locality === "" ? "-" : locality];
    }),
  );
  const header = ["ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"];
  // istioctl's four columns, unless there is something to say that it leaves to the JSON.
  const isPlain = rows.every(([, , , , priority, locality]) => priority === "0" && locality === "-");
  if (isPlain)
    return formatTable(
      header,
      rows.map((row) => row.slice(0, header.length)),
    );
  return formatTable([...header, "PRIORITY", "LOCALITY"], rows);
}

function readEndpoint(address: Json | undefined): string {
  const path = at(address, "pipe", "path");
  if (path !== undefined) return `unix://${text(path)}`;
  const { address: host, port } = readAddress(address);
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function readLocality(locality: Json | undefined): string {
  const part = (name: string): string => text(at(locality, name));
  return formatLocality({ region: part("region"), zone: part("zone"), subzone: part("subZone") });
}

/** `pc secret`. `nowMs` (milliseconds since 1970) decides whether a certificate is valid. */
export function renderSecretTable(secrets: Dump, nowMs: number): string {
  const rows = secrets.map((secret) => {
    const chain = at(secret, "secret", "tlsCertificate", "certificateChain", "inlineBytes");
    const trustedCa = at(secret, "secret", "validationContext", "trustedCa", "inlineBytes");
    const type = secretType(text(secret["name"]), { chain, trustedCa });
    return [text(secret["name"]), type, text(secret["state"]), ...describeCertificate(chain ?? trustedCa, nowMs)];
  });
  const columns = ["TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"];
  return formatTable(["RESOURCE NAME", ...columns], rows);
}

function secretType(
  name: string,
  content: { readonly chain: Json | undefined; readonly trustedCa: Json | undefined },
): string {
  if (content.chain !== undefined) return "Cert Chain";
  if (content.trustedCa !== undefined || /^(file-root|configmap):|-cacert$/.test(name)) return "CA";
  return name.startsWith("file-crl:") ? "CRL" : "Cert Chain";
}

function describeCertificate(inlineBytes: Json | undefined, nowMs: number): readonly string[] {
  if (typeof inlineBytes !== "string") return ["false", "", "", ""];
  try {
    const certificate = new X509Certificate(Buffer.from(inlineBytes, "base64"));
    const notBefore = new Date(certificate.validFrom);
    const notAfter = new Date(certificate.validTo);
    const isValid = notBefore.getTime() <= nowMs && nowMs <= notAfter.getTime();
    return [String(isValid), certificate.serialNumber.toLowerCase(), formatTime(notAfter), formatTime(notBefore)];
  } catch {
    return ["false", "", "", ""];
  }
}

/** RFC 3339 without milliseconds: `2026-01-31T12:00:00Z`. */
function formatTime(time: Date): string {
  return time.toISOString().replace(".000Z", "Z");
}

/** `name.namespace` of the VirtualService or DestinationRule that something was made from; empty where there is none. */
function describeSource(made: Json): string {
  const config = text(at(made, "metadata", "filterMetadata", "istio", "config"));
  const [, namespace, name] = /\/namespaces\/([^/]+)\/[^/]+\/([^/]+)$/.exec(config) ?? [];
  return namespace === undefined || name === undefined ? "" : `${name}.${namespace}`;
}

function readAddress(address: Json | undefined): { readonly address: string; readonly port: string } {
  const socket = at(address, "socketAddress");
  return { address: text(at(socket, "address")), port: text(at(socket, "portValue")) };
}

function compareCells(a = "", b = ""): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
