// The package's entry for certificates: made on the spot for the demo and the tests, so that no private key is ever committed.
export { createAuthority } from "./certificates/authority.ts";
export type { Authority, AuthorityOptions, CrlOptions } from "./certificates/authority.ts";
export { writeDemoCertificates } from "./certificates/demo-files.ts";
export type { Issued, IssueOptions } from "./certificates/leaf.ts";
export type { KeyAlgorithm } from "./certificates/keys.ts";
