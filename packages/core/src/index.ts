// What the control plane and the command line use of core: from texts to a table, and the two readers of a table.
export { CompileMemory, compileTable, defaultCompileOptions, referencedFiles } from "./compile/index.ts";
export type { CompileOptions, CompileResult } from "./compile/index.ts";
export {
  dumpClusters,
  dumpEndpoints,
  dumpListeners,
  dumpRoutes,
  dumpSecrets,
  renderClusterTable,
  renderEndpointTable,
  renderListenerTable,
  renderRouteTable,
  renderSecretTable,
} from "./dump/index.ts";
export type { Dialect, Json, JsonObject } from "./dump/index.ts";
export { explain, renderExplanation } from "./explain/index.ts";
export type { Action, ErrorCode, Explanation, Question, Stage, Step } from "./explain/index.ts";
export { maxFileBytes } from "./parse/limits.ts";
export { ParseMemory, parseSources } from "./parse/index.ts";
export type { ParseOptions, ParseResult } from "./parse/index.ts";
export { checkReferences, ReferenceMemory, validateDocuments, ValidationMemory } from "./validate/index.ts";
