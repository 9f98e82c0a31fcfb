// What of balancing is used outside of the edge: by the micro-benchmark.
export type { BalancedRequest } from "./balanced-request.ts";
export { type Choosable, EndpointChooser } from "./endpoint-chooser.ts";
export { MaglevTable } from "./maglev-table.ts";
export { RingTable } from "./ring-table.ts";
