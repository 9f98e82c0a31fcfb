// `pc secret`: the table's certificates and CAs. Certificates are public and printed; private keys never are.
import { Buffer } from "node:buffer";
import type { SecretResource, Table } from "../model/index.ts";
import { type Dialect, type JsonObject, optional, typeUrl, withName } from "./json.ts";

/** Secrets in Envoy's shape, sorted by name; only those of that name when one is given. */
export function dumpSecrets(table: Table, _dialect: Dialect, name?: string): readonly JsonObject[] {
  return withName(table.secrets.map(dumpSecret), name);
}

/** A secret that is missing or invalid is what Envoy calls warming: named by a listener, not yet there. */
function dumpSecret(secret: SecretResource): JsonObject {
  const isReady = secret.status === "ready";
  return {
    name: secret.name,
    state: isReady ? "ACTIVE" : "WARMING",
    ...(isReady ? {} : { status: secret.status, reason: secret.reason }),
    secret: {
      ...typeUrl("envoy.extensions.transport_sockets.tls.v3.Secret"),
      name: secret.name,
      ...tlsCertificate(secret),
      ...validationContext(secret),
    },
  };
}

function tlsCertificate({ certificateChain, privateKey }: SecretResource): JsonObject {
  if (certificateChain === null) return {};
  // Whatever holds the key here, only this text leaves: istioctl prints the same.
  const key = privateKey === null ? null : { inlineString: "[redacted]" };
  return { tlsCertificate: { certificateChain: inlineBytes(certificateChain), ...optional("privateKey", key) } };
}

function validationContext({ trustedCa, crl }: SecretResource): JsonObject {
  if (trustedCa === null && crl === null) return {};
  const context = {
    ...optional("trustedCa", trustedCa === null ? null : inlineBytes(trustedCa)),
    ...optional("crl", crl === null ? null : inlineBytes(crl)),
  };
  return { validationContext: context };
}

function inlineBytes(pem: string): JsonObject {
  return { inlineBytes: Buffer.from(pem, "utf8").toString("base64") };
}
