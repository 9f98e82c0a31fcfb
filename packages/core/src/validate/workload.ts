// What the endpoints of a ServiceEntry and WorkloadEntries have in common: schema and rules (istio-semantics 1.4).
import { z } from "zod";
import type { FieldPath, WorkloadEndpoint } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { hostProblem, isIpAddress } from "./hosts.ts";
import { checkLabels } from "./labels.ts";
import { portNumber, text, textMap } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";

export const workload: z.ZodType<WorkloadEndpoint> = z.strictObject({
  address: text.min(1).max(256),
  ports: z.record(z.string(), portNumber).optional(),
  labels: textMap.optional(),
  locality: text.max(2048).optional(),
  weight: z.int().min(0).max(4_294_967_295).optional(),
});

/** Why `network` and `serviceAccount` do nothing. */
export const meshOnly = "It describes the endpoint to a mesh; an ingress gateway outside of one has no use for it.";

export function checkWorkload(
  { address, ports = {}, labels = {}, locality }: WorkloadEndpoint,
  path: FieldPath,
  reporter: Reporter,
): void {
  checkAddress(address, [...path, "address"], reporter);
  if (isUnixAddress(address) && Object.keys(ports).length > 0) {
    const message = "a Unix domain socket has no ports";
    reporter.error({ code: "conflicting-fields", path: [...path, "ports"], message, hint: "Remove them." });
  }
  checkLabels(labels, [...path, "labels"], reporter);
  if (locality === undefined || locality === "" || isLocality(locality)) return;
  const message = `${quote(locality)} is not a locality`;
  const hint = 'Write "region", "region/zone" or "region/zone/subzone".';
  reporter.error({ code: "invalid-locality", path: [...path, "locality"], message, hint });
}

export function isUnixAddress(address: string): boolean {
  return address.startsWith("unix:");
}

/** An IP address, a DNS name, or an absolute path or abstract name of a Unix domain socket. */
function checkAddress(address: string, path: FieldPath, reporter: Reporter): void {
  if (isIpAddress(address)) return;
  if (isUnixAddress(address)) {
    if (/^unix:\/\/(?:\/.*[^/]|@.+)$/s.test(address)) return;
    const message = `${quote(address)} is neither a path nor an abstract name`;
    reporter.error({
      code: "invalid-address",
      path,
      message,
      hint: 'Write "unix:///path/to/socket" or "unix://@name".',
    });
  } else if (address.includes("*") || hostProblem(address) !== null) {
    const message = `${quote(address)} is neither an IP address nor a DNS name`;
    reporter.error({ code: "invalid-address", path, message });
  }
}

/** Parts that are not empty, at most three; one slash at the end is often written. */
function isLocality(locality: string): boolean {
  return /^[^*/]+(?:\/[^*/]+){0,2}\/{0,2}$/.test(locality);
}
