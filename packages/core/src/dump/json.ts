// Plain JSON, as the dumps produce it. Fields that are undefined are left out when printed.
import type { ObjectRef } from "../model/index.ts";

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** The two ways to print one table: today's istioctl, or that of Istio 1.0. Nothing else in Sluice knows dialects. */
export type Dialect = "modern" | "istio-1.0";

/** `{ key: value }` when there is a value, else nothing: for spreading into an object. */
export function optional(key: string, value: Json | undefined | null): JsonObject {
  return value === undefined || value === null ? {} : { [key]: value };
}

/** `{ key: list }` when there is something in it, else nothing. */
export function nonEmpty(key: string, list: readonly (string | JsonObject)[]): JsonObject {
  return list.length === 0 ? {} : { [key]: list };
}

/** The entries of a dump whose name is asked for; all of them without a name. */
export function withName(entries: readonly JsonObject[], name: string | undefined): readonly JsonObject[] {
  return name === undefined ? entries : entries.filter((entry) => entry["name"] === name);
}

/** A duration as Envoy prints it: `0.2s` today, `0.200s` in 1.0. */
export function formatDuration(durationMs: number, dialect: Dialect): string {
  return dialect === "istio-1.0" ? `${(durationMs / 1000).toFixed(3)}s` : `${durationMs / 1000}s`;
}

/** Envoy's fractional percent, in Istio's millionths. */
export function dumpPercentage(percentage: number): JsonObject {
  return { numerator: Math.round(percentage * 10_000), denominator: "MILLION" };
}

/** How Istio notes the resource that something was made from; istioctl prints it. */
export function configPath(
  kind: "virtual-service" | "destination-rule",
  { apiVersion, namespace, name }: ObjectRef & { readonly apiVersion: string },
): string {
  return `/apis/${apiVersion}/namespaces/${namespace}/${kind}/${name}`;
}

/** The metadata of what a VirtualService made. */
export function virtualServiceMetadata(source: ObjectRef & { readonly apiVersion: string }): JsonObject {
  return { filterMetadata: { istio: { config: configPath("virtual-service", source) } } };
}

const typePrefix = "type.googleapis.com/";

/** Envoy's `@type` of a message. */
export function typeUrl(message: string): JsonObject {
  return { "@type": typePrefix + message };
}
