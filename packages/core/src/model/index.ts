// The vocabulary every package shares.
export * from "./certificate-expiry.ts";
export * from "./cluster.ts";
export * from "./diagnostic.ts";
export * from "./document.ts";
export * from "./duration.ts";
export * from "./expiry-warnings.ts";
export * from "./host.ts";
export * from "./path.ts";
export * from "./pem.ts";
export * from "./resource.ts";
export * from "./route.ts";
export * from "./secret-text.ts";
export * from "./table.ts";
export * from "./visibility.ts";
