// The compiled matcher: which filter chain, virtual host and route a connection and a request belong to; and who a peer is.
export { buildChainIndex, ChainIndex, isMisdirected, normalizeServerName, selectFilterChain } from "./chain-index.ts";
export { certificateHasName, checkClientCertificate } from "./client-certificate.ts";
export type { CertificateVerdict } from "./client-certificate.ts";
export { buildVirtualHostIndex, HostIndex } from "./host-index.ts";
export { httpsAuthority } from "./https-authority.ts";
export type { MatchRequest } from "./match-request.ts";
export { findIdentityProblem } from "./machine-identity.ts";
export { MachineCredentials } from "./machine-credentials.ts";
export type { CredentialPaths, CredentialReading, MachineCredential } from "./machine-credentials.ts";
export { findQueryParameter } from "./query-parameter.ts";
export { PathRewriter } from "./path-rewriter.ts";
export { RedirectLocation } from "./redirect-location.ts";
export { ValuePredicate } from "./value-predicate.ts";
export { matcherFor, VirtualHostMatcher } from "./virtual-host-matcher.ts";
