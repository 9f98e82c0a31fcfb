// The vocabulary every package shares.
export * from "./cluster.ts";
export * from "./destination-rule.ts";
export * from "./diagnostic.ts";
export * from "./document.ts";
export * from "./duration.ts";
export * from "./host.ts";
export * from "./kubernetes.ts";
export * from "./labels.ts";
export * from "./locality.ts";
export * from "./path.ts";
export * from "./pem.ts";
export * from "./resource.ts";
export * from "./route.ts";
export * from "./secret-text.ts";
export * from "./service-entry.ts";
export * from "./table.ts";
export * from "./visibility.ts";
