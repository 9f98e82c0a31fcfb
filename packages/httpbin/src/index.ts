// The package's entry: a small httpbin, the backend that the demo, the tests and the benchmarks put behind the gateway.
export { startHttpbin } from "./server.ts";
export type { Httpbin, HttpbinOptions } from "./server.ts";
export type { RecordedRequest } from "./recorder.ts";
export { patternBytes } from "./pattern.ts";
