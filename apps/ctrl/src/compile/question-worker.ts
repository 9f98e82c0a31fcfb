// The thread for what is asked beside compiling, so that neither waits for the other.
export { readDeclared, readPush } from "./documents.ts";
