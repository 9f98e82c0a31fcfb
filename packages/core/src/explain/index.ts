// Explaining: where a request would go, and why.
export { explain } from "./explain.ts";
export type * from "./explanation.ts";
export { renderExplanation } from "./render.ts";
