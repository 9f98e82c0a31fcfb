// One gateway with every kind of door side by side: hosts open to all, hosts that demand certificates in all the ways there are, hosts
// under wildcards, a port with a door for everyone, and a port of open hosts only, which uWebSockets.js serves where it may.
import { type Authority, createAuthority } from "@sluice/demo/certificates";
import { startHttpbin } from "@sluice/httpbin";
import { clientOfAuthority, type Identity, listedDns, listedUri } from "./client-identities.ts";
import { documents, gatewayResource, httpServer, httpsServer, secret, service, virtualService } from "./config.ts";

export interface MtlsWorld {
  readonly backend: Awaited<ReturnType<typeof startHttpbin>>;
  readonly authority: Authority;
  /** Listed by both kinds of names. */
  readonly listed: Identity;
  /** Of the right authority, with a name nobody lists. */
  readonly unlisted: Identity;
  readonly pinned: Identity;
  readonly revoked: Identity;
  /** The site's resources, as one file. */
  readonly config: string;
}

/** Offers both versions of HTTP whatever the lane's default is. */
const bothProtocols = { "sluice.dev/alpn": "h2,http/1.1" };

/** Ports of the site. */
export const ports = { clear: 80, named: 443, withDefault: 444, open: 8443 } as const;

export async function createMtlsWorld(): Promise<MtlsWorld> {
  const authority = await createAuthority({ commonName: "clients" });
  const servers = await createAuthority({ commonName: "servers" });
  const backend = await startHttpbin();
  const names = { dnsNames: [listedDns], uris: [listedUri] };
  const pinned = await authority.issue({ commonName: "pinned", client: true, ...names });
  const revoked = await authority.issue({ commonName: "revoked", client: true, ...names });
  const server = await servers.issue({ commonName: "gateway", dnsNames: ["*.example"] });
  const pair = { "tls.crt": server.chainPem, "tls.key": server.keyPem };
  const secrets = [
    secret("open", pair),
    secret("mutual", { ...pair, "ca.crt": authority.certificatePem }),
    secret("with-crl", {
      ...pair,
      "ca.crt": authority.certificatePem,
      "ca.crl": await authority.crl({ revoked: [revoked] }),
    }),
  ];
  return {
    backend,
    authority,
    listed: await clientOfAuthority(authority, names),
    unlisted: await clientOfAuthority(authority, { dnsNames: ["other.example"] }),
    pinned: { cert: pinned.chainPem, key: pinned.keyPem },
    revoked: { cert: revoked.chainPem, key: revoked.keyPem },
    config: documents(...gateways(pinned.spkiSha256Base64), ...routes, ...secrets, ...service("httpbin", backend.port)),
  };
}

const simple = { mode: "SIMPLE", credentialName: "open" };
const mutual = { mode: "MUTUAL", credentialName: "mutual" };
const subjectAltNames = [listedDns, listedUri];

function gateways(pin: string) {
  const named = [
    httpsServer(["simple.example"], simple),
    httpsServer(["mutual.example"], { ...mutual, subjectAltNames }),
    httpsServer(["anyone.example"], mutual),
    httpsServer(["optional.example"], { ...mutual, mode: "OPTIONAL_MUTUAL", subjectAltNames }),
    httpsServer(["pinned.example"], { ...mutual, verifyCertificateSpki: [pin] }),
    httpsServer(["revoking.example"], { ...mutual, credentialName: "with-crl" }),
    httpsServer(["no-ca.example"], { mode: "MUTUAL", credentialName: "open", subjectAltNames }),
    httpsServer(["*.wild.example"], simple, { name: "https-wild" }),
    httpsServer(["secret.wild.example"], { ...mutual, subjectAltNames }),
  ];
  const port = ports.withDefault;
  const withDefault = [
    httpsServer(["*"], simple, { port, name: "https-default" }),
    httpsServer(["guarded.example"], { ...mutual, subjectAltNames }, { port, name: "https-guarded" }),
  ];
  const open = [
    httpsServer(["open.example"], simple, { port: ports.open }),
    httpsServer(["open-too.example"], simple, { port: ports.open }),
    httpServer(["open.example"]),
  ];
  return [
    gatewayResource("named", named, bothProtocols),
    gatewayResource("with-default", withDefault, bothProtocols),
    gatewayResource("open", open),
    // Port `a` of Gateway `b.c` and port `a.b` of Gateway `c`: Istio's names of their chains are the same.
    gatewayResource("b.c", [httpsServer(["confused.example"], mutual, { name: "a" })]),
    gatewayResource("c", [httpsServer(["confusing.example"], simple, { name: "a.b" })]),
  ];
}

// `*` and `*.wild.example` put the guarded hosts into the route configs of the open servers as well: reaching their routes there is
// what the attacks try.
const routes = [
  virtualService("all", {
    hosts: ["*"],
    gateways: ["named", "open", "default/b.c", "default/c"],
    destination: "httpbin",
  }),
  virtualService("wild", { hosts: ["secret.wild.example"], gateways: ["named"], destination: "httpbin" }),
  virtualService("default", { hosts: ["*"], gateways: ["with-default"], destination: "httpbin" }),
  virtualService("guarded", { hosts: ["guarded.example"], gateways: ["with-default"], destination: "httpbin" }),
];
