// The annotations with which a Gateway overrides how its servers are run (CONTRACT, "Running").
import type { GatewaySpec, Resource } from "../model/index.ts";
import type { Findings } from "./findings.ts";

const engineAnnotation = "sluice.dev/engine";
const alpnAnnotation = "sluice.dev/alpn";
const proxyProtocolAnnotation = "sluice.dev/proxy-protocol";

type Alpn = readonly ("h2" | "http/1.1")[];

export interface GatewayOverrides {
  readonly engine: "node" | null;
  readonly alpn: Alpn | null;
  /** Connections begin with a PROXY protocol header. */
  readonly acceptsProxyProtocol: boolean;
}

/** Reads a Gateway's overrides; a value that makes no sense is reported and ignored. */
export function readOverrides(gateway: Resource<GatewaySpec>, findings: Findings): GatewayOverrides {
  return {
    engine: readEngine(gateway, findings),
    alpn: readAlpn(gateway, findings),
    acceptsProxyProtocol: readProxyProtocol(gateway, findings),
  };
}

function readEngine(gateway: Resource<GatewaySpec>, findings: Findings): "node" | null {
  const value = gateway.annotations[engineAnnotation]?.trim();
  if (value === "node") return "node";
  if (value !== undefined && value !== "auto")
    reject(gateway, findings, { name: engineAnnotation, allowed: "auto, node" });
  return null;
}

function readAlpn(gateway: Resource<GatewaySpec>, findings: Findings): Alpn | null {
  const value = gateway.annotations[alpnAnnotation];
  if (value === undefined) return null;
  const names = [...new Set(value.split(",").map((name) => name.trim()))];
  if (names.every((name) => name === "h2" || name === "http/1.1")) return names;
  reject(gateway, findings, { name: alpnAnnotation, allowed: "h2, http/1.1 or both, separated by a comma" });
  return null;
}

function readProxyProtocol(gateway: Resource<GatewaySpec>, findings: Findings): boolean {
  const value = gateway.annotations[proxyProtocolAnnotation]?.trim();
  if (value !== undefined && value !== "true" && value !== "false")
    reject(gateway, findings, { name: proxyProtocolAnnotation, allowed: '"true" or "false", in quotes' });
  return value === "true";
}

/** Says that a Gateway shares a listener with one that asks for PROXY protocol headers. */
export function warnProxyProtocol(gateway: Resource<GatewaySpec>, asking: string, findings: Findings): void {
  findings.warn(
    { resource: gateway, path: ["metadata", "annotations"] },
    {
      code: "conflicting-annotation",
      message: `Gateway ${asking}, which shares a port with this one, has ${proxyProtocolAnnotation}: connections without a PROXY protocol header are closed`,
      hint: `write ${proxyProtocolAnnotation}: "true" here too, or give the two Gateways ports of their own`,
    },
  );
}

function reject(
  gateway: Resource<GatewaySpec>,
  findings: Findings,
  annotation: { readonly name: string; readonly allowed: string },
): void {
  findings.warn(
    { resource: gateway, path: ["metadata", "annotations", annotation.name] },
    {
      code: "invalid-annotation",
      message: `"${gateway.annotations[annotation.name]}" is no value of ${annotation.name}; it is ignored`,
      hint: `use ${annotation.allowed}`,
    },
  );
}
