// Servers of different Gateways that show one certificate on one port. Clients take such servers for one and send both their requests on
// one HTTP/2 connection; what belongs to the other server is answered 421 (CONTRACT), and asked again on a new connection.
// `istioctl analyze` warns of it as IST0138, because Istio answers 404.
import type { CompileContext } from "./context.ts";
import { type BoundServer, describeServer, type MergedListener, serverSite } from "./gateways.ts";
import { terminatesTls } from "./tls-context.ts";

export interface CertificateScope {
  readonly context: CompileContext;
  /** True when the server's connections can be HTTP/2. */
  offersHttp2(this: void, bound: BoundServer): boolean;
}

/** Warns of every server whose certificate a server of another Gateway before it has. */
export function reportSharedCertificates(merged: readonly MergedListener[], scope: CertificateScope): void {
  for (const { servers } of merged) {
    const owners = new Map<string, BoundServer>();
    for (const bound of servers) {
      if (!isHttpInTls(bound) || !scope.offersHttp2(bound)) continue;
      for (const certificate of certificatesOf(bound)) {
        const owner = owners.get(certificate) ?? bound;
        owners.set(certificate, owner);
        if (owner.gateway !== bound.gateway) warn(bound, owner, scope.context);
      }
    }
  }
}

function isHttpInTls({ server }: BoundServer): boolean {
  return server.port.protocol === "HTTPS" && terminatesTls(server.tls);
}

function certificatesOf({ server: { tls } }: BoundServer): readonly string[] {
  const files = tls?.serverCertificate ?? "";
  const names = [tls?.credentialName ?? "", ...(tls?.credentialNames ?? [])].filter((name) => name !== "");
  const pairs = [files, ...(tls?.tlsCertificates ?? []).map((pair) => pair.serverCertificate ?? "")];
  return [
    ...names.map((name) => `secret ${name}`),
    ...pairs.filter((path) => path !== "").map((path) => `file ${path}`),
  ];
}

function warn(bound: BoundServer, owner: BoundServer, { findings }: CompileContext): void {
  findings.warn(serverSite(bound), {
    code: "shared-certificate",
    message: `${describeServer(bound)} has the certificate of ${describeServer(owner)}: on an HTTP/2 connection to one, clients ask for hosts of the other, are answered 421 and have to connect again`,
    hint: "Put the hosts into one server, give each a certificate of its own, or offer http/1.1 only.",
  });
}
