// The stages of a connection: listener, filter chain, certificates of both sides; for raw connections also their destination.
import { normalizeServerName } from "../match/chain-index.ts";
import type { FilterChain, Listener, NetworkForward } from "../model/index.ts";
import { readFilterChain } from "./naive-names.ts";
import { inConnections, readClusters } from "./read-clusters.ts";
import { readRequest } from "./read-request.ts";
import { reject } from "./reading.ts";
import type { Outcome, Reading } from "./reading.ts";
import { rejectClientCertificate } from "./verify-client.ts";

/** Reads on from the port that was asked about. */
export function readListener(reading: Reading): Outcome {
  const { table, question, diary, findings } = reading;
  let chosen: Listener | null = null;
  for (const listener of table.listeners) {
    if (listener.port !== question.port) {
      const declared =
        listener.declaredPort === question.port ? `; ${question.port} is the port its Gateway declares` : "";
      diary.rejected("listener", listener.name, `it listens on port ${listener.port}, not ${question.port}${declared}`);
    } else if (chosen !== null) {
      diary.rejected("listener", listener.name, `it has the same port on another address; ${chosen.name} is the first`);
    } else {
      chosen = listener;
      diary.matched("listener", listener.name, `port ${listener.port}, ${describeTransport(listener)}`);
    }
  }
  if (chosen === null) return reject("no-listener");
  findings.listener = chosen.name;
  switch (chosen.transport) {
    case "tls":
      return readTls(reading, chosen);
    case "tcp":
      return readTcp(reading, chosen);
    case "http":
      return readCleartext(reading, chosen);
  }
}

function describeTransport({ transport, acceptsProxyProtocol }: Listener): string {
  const text = { http: "cleartext HTTP", tls: "TLS", tcp: "TCP" }[transport];
  return acceptsProxyProtocol ? `${text}, behind a PROXY protocol header` : text;
}

/** Whatever the client speaks: the bytes are passed on unread. */
function readTcp(reading: Reading, listener: Listener): Outcome {
  const { diary, findings } = reading;
  const [chain] = listener.filterChains;
  if (chain === undefined || chain.forward === null) {
    diary.rejected("filter-chain", chain?.name ?? listener.name, "it leads nowhere");
    return reject("no-filter-chain");
  }
  findings.filterChain = chain.name;
  diary.matched("filter-chain", chain.name, "a TCP listener has one chain; what a client sends is passed on unread");
  return readForward(reading, chain.forward, "tcp");
}

function readForward(
  reading: Reading,
  { virtualService, clusters }: NetworkForward,
  action: "tcp" | "passthrough",
): Outcome {
  const { namespace, name } = virtualService;
  const rule = action === "tcp" ? "tcp" : "tls";
  reading.diary.matched("route", `VirtualService ${namespace}/${name}`, `its ${rule} rule made this chain`);
  readClusters(reading, clusters, inConnections);
  return { action };
}

function readCleartext(reading: Reading, listener: Listener): Outcome {
  const { question, diary, findings } = reading;
  if (question.scheme === "https") {
    diary.rejected(
      "filter-chain",
      listener.name,
      "the listener speaks cleartext HTTP and would not understand a TLS handshake",
    );
    return reject("tls-on-plaintext");
  }
  const [chain] = listener.filterChains;
  if (chain === undefined || question.scheme === "tcp") {
    diary.rejected("filter-chain", chain?.name ?? listener.name, "the listener speaks HTTP, not plain TCP");
    return reject("no-filter-chain");
  }
  findings.filterChain = chain.name;
  diary.matched("filter-chain", chain.name, "a cleartext listener has one chain");
  return readRequest(reading, chain, null);
}

function readTls(reading: Reading, listener: Listener): Outcome {
  const { question, diary, findings } = reading;
  // Raw TCP with a server name is a client that speaks TLS itself, of whatever protocol inside.
  const speaksTls = question.scheme === "https" || (question.scheme === "tcp" && question.sni !== null);
  if (!speaksTls) {
    diary.rejected(
      "filter-chain",
      listener.name,
      "the listener speaks TLS; a connection without a handshake is closed",
    );
    return reject(question.scheme === "http" ? "plaintext-on-tls" : "tls-required");
  }
  const name = question.sni === null ? "" : normalizeServerName(question.sni);
  const chain = readFilterChain(listener.filterChains, name === "" ? null : name, diary);
  if (chain === null) return reject("no-filter-chain");
  findings.filterChain = chain.name;
  const { forward } = chain;
  if (forward !== null && chain.tls === null) return readForward(reading, forward, "passthrough");
  if (forward === null && question.scheme === "tcp") {
    diary.rejected("filter-chain", chain.name, "the chain ends TLS and speaks HTTP, not plain TCP");
    return reject("no-filter-chain");
  }
  readServerCertificates(reading, chain);
  if (!readClientCertificate(reading, chain)) return reject("client-certificate-required");
  return forward === null ? readRequest(reading, chain, listener) : readForward(reading, forward, "tcp");
}

/** Notes what is wrong with the chain's own certificates. */
function readServerCertificates({ table, diary }: Reading, chain: FilterChain): void {
  for (const { secret: name } of chain.tls?.certificates ?? []) {
    const secret = table.secrets.find((candidate) => candidate.name === name);
    if (secret?.status === "ready") diary.matched("server-certificate", name, "it is there");
    else {
      const why = secret === undefined ? "it is missing" : `it is ${secret.status}: ${secret.reason}`;
      diary.rejected(
        "server-certificate",
        name,
        `${why}. Connections to this chain are refused until it is there; the rest shows where they would go`,
      );
    }
  }
}

/** True when the handshake passes as far as the client's certificate is concerned. */
function readClientCertificate({ table, question, diary }: Reading, chain: FilterChain): boolean {
  const mode = chain.tls?.mode ?? "SIMPLE";
  if (mode === "SIMPLE") return true;
  if (question.clientCertificate === null) {
    if (mode === "MUTUAL") diary.rejected("client-certificate", "(none)", "mode MUTUAL demands one");
    else diary.matched("client-certificate", "(none)", "mode OPTIONAL_MUTUAL asks for one and does without");
    return mode !== "MUTUAL";
  }
  const reason = rejectClientCertificate({
    certificates: question.clientCertificate,
    validation: chain.tls?.clientValidation ?? null,
    secrets: table.secrets,
    nowMs: question.nowMs,
  });
  if (reason === null)
    diary.matched("client-certificate", "(presented)", `it passes what mode ${mode} demands of this chain`);
  else diary.rejected("client-certificate", "(presented)", reason);
  return reason === null;
}
