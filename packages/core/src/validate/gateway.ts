// Gateway: its schema, and the rules about servers, ports and hosts (istio-semantics 1.1). TLS has a file of its own.
import { z } from "zod";
import type { FieldPath, GatewayServer, GatewaySpec, Resource } from "../model/index.ts";
import { isLabelName } from "../parse/identify.ts";
import { quote } from "../parse/finding.ts";
import { gatewaySupport } from "./gateway-support.ts";
import { checkServerTls, serverTls, withUsableTlsLists } from "./gateway-tls.ts";
import { hostProblem, isIpAddress } from "./hosts.ts";
import { checkMetadata } from "./metadata.ts";
import { istioDocument, type Metadata, portNumber, text, textMap } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";
import { type KindSchema, readShape, toResource } from "./shape.ts";

const protocols = ["HTTP", "HTTPS", "HTTP2", "GRPC", "GRPC-WEB", "HTTP_PROXY", "TLS", "TCP", "MONGO"] as const;

const server = z.strictObject({
  name: text.optional(),
  port: z.strictObject({ number: portNumber, name: text, protocol: text.toUpperCase().pipe(z.enum(protocols)) }),
  bind: text.optional(),
  hosts: z.array(text).min(1),
  tls: serverTls.optional(),
});

const noLabels: Readonly<Record<string, string>> = Object.freeze({});

const spec: z.ZodType<GatewaySpec> = z.strictObject({
  selector: textMap.default(noLabels),
  servers: z.array(server).min(1),
});

const gatewaySchema: KindSchema<{ metadata: Metadata; spec: GatewaySpec }> = {
  schema: istioDocument(spec),
  support: gatewaySupport,
};

/** The Gateway, or null when it has errors. */
export function validateGateway(reporter: Reporter): Resource<GatewaySpec> | null {
  const shape = readShape(gatewaySchema, reporter);
  if (shape === null) return null;
  checkMetadata(shape.metadata, reporter);
  const { servers } = shape.spec;
  for (const [index, entry] of servers.entries()) checkServer(entry, ["spec", "servers", index], reporter);
  checkUniqueNames(servers, reporter);
  const usable = servers.map((entry, index) => withUsableTlsLists(entry, ["spec", "servers", index], reporter));
  if (reporter.hasErrors) return null;
  return toResource(reporter.document, shape.metadata, { ...shape.spec, servers: usable });
}

function checkServer(entry: GatewayServer, path: FieldPath, reporter: Reporter): void {
  if (entry.port.name === "") {
    const message = "a port needs a name";
    reporter.error({ code: "invalid-port-name", path: [...path, "port", "name"], message });
  }
  if (entry.bind !== undefined && entry.bind !== "" && !isIpAddress(entry.bind)) checkBind(entry.bind, path, reporter);
  for (const [index, host] of entry.hosts.entries()) checkGatewayHost(host, [...path, "hosts", index], reporter);
  checkServerTls(entry, path, reporter);
}

function checkBind(bind: string, serverPath: FieldPath, reporter: Reporter): void {
  const path = [...serverPath, "bind"];
  if (bind.startsWith("unix:")) {
    const message = "listening on a Unix domain socket is not supported";
    reporter.error({ code: "unsupported-value", path, message, hint: "Write an IP address." });
  } else {
    reporter.error({ code: "invalid-address", path, message: `${quote(bind)} is not an IP address` });
  }
}

/** `dnsName` or `namespace/dnsName`, where the namespace may be `*` or `.`. */
function checkGatewayHost(host: string, path: FieldPath, reporter: Reporter): void {
  const slash = host.includes("://") ? -1 : host.indexOf("/");
  const namespace = slash < 0 ? "*" : host.slice(0, slash);
  const dnsName = host.slice(slash + 1);
  const problem = hostProblem(dnsName) ?? (isShortName(dnsName) ? shortNameProblem : null);
  if (problem !== null) {
    const message = `${quote(host)}: ${problem.message}`;
    reporter.error({ code: "invalid-host", path, message, hint: problem.hint });
  }
  if (namespace !== "*" && namespace !== "." && !isLabelName(namespace)) {
    const message = `${quote(host)}: ${quote(namespace)} is not a namespace`;
    reporter.error({ code: "invalid-host", path, message, hint: 'Write "namespace/host", "./host" or "*/host".' });
  }
}

const shortNameProblem = {
  message: "a name without a dot is not allowed in a Gateway",
  hint: "Clients send full names: write one, or * for every host.",
};

function isShortName(dnsName: string): boolean {
  return dnsName !== "*" && !dnsName.includes(".") && !dnsName.includes(":");
}

function checkUniqueNames(servers: readonly GatewayServer[], reporter: Reporter): void {
  const portNames = new Set<string>();
  const serverNames = new Set<string>();
  for (const [index, { port, name = "" }] of servers.entries()) {
    const path = ["spec", "servers", index];
    if (port.name !== "" && portNames.has(port.name)) {
      const message = `the port name ${quote(port.name)} is already used in this Gateway`;
      const hint = "Give every server its own port name; routes of HTTPS servers are named after it.";
      reporter.error({ code: "duplicate-port-name", path: [...path, "port", "name"], message, hint });
    }
    portNames.add(port.name);
    if (name !== "" && serverNames.has(name)) {
      const message = `the server name ${quote(name)} is already used in this Gateway; statistics will be mixed`;
      reporter.warning({ code: "duplicate-server-name", path: [...path, "name"], message });
    }
    serverNames.add(name);
  }
}
