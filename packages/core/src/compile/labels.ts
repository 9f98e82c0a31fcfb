// Label selectors, under the name that the compiler's files know.
export { labelOf, selects } from "../model/index.ts";
