// Finds the content of one secret resource: in a Secret, a ConfigMap or files. What is missing or broken is a value with a reason.
import type { CompileContext } from "./context.ts";
import { caObjectNames, type Credential } from "./credential-name.ts";
import { chainStartMs, findChainProblem, findCrlProblem, findTrustedCaProblem } from "./pem.ts";

/** What one resource holds, or why it does not. */
export type SecretContent =
  | {
      readonly status: "ready";
      readonly certificateChain?: string;
      readonly privateKey?: string;
      readonly trustedCa?: string;
      readonly crl?: string;
    }
  | {
      readonly status: "missing" | "invalid";
      readonly code: SecretProblemCode;
      readonly reason: string;
      readonly hint?: string;
      /** When the problem solves itself. */
      readonly validFromMs?: number;
    };

export type SecretProblemCode =
  | "missing-secret"
  | "missing-certificate-file"
  | "invalid-certificate"
  | "certificate-not-yet-valid";

/** Keys of a Secret that hold a certificate and its private key, in the order they are tried. */
const certificateKeys = [
  ["cert", "key"],
  ["tls.crt", "tls.key"],
] as const;

export function loadCertificate(credential: Credential, context: CompileContext): SecretContent {
  const values = findObject(credential, credential.name, context);
  if (values === null) return missing(credential, credential.name);
  for (const [certificateKey, privateKeyKey] of certificateKeys) {
    const certificateChain = values[certificateKey];
    const privateKey = values[privateKeyKey];
    if (certificateChain === undefined || privateKey === undefined) continue;
    if (certificateChain === "" || privateKey === "")
      return invalid(`"${certificateKey}" or "${privateKeyKey}" is empty`);
    return checkedPair(certificateChain, privateKey, context);
  }
  return invalid(`neither "cert" and "key" nor "tls.crt" and "tls.key" are there, only ${listKeys(values)}`);
}

/** The client CA of a credential, and with it the revocation lists of the same object. */
export function loadTrustedCa(credential: Credential, context: CompileContext): SecretContent {
  let found: Readonly<Record<string, string>> | null = null;
  for (const name of caObjectNames(credential)) {
    const values = findObject(credential, name, context);
    if (values === null) continue;
    found = values;
    const trustedCa = values["cacert"] ?? values["ca.crt"];
    if (trustedCa === undefined) continue;
    const crl = values["crl"] ?? values["ca.crl"];
    const problem = findTrustedCaProblem(trustedCa) ?? (crl === undefined ? null : findCrlProblem(crl));
    return checked(problem, crl === undefined ? { trustedCa } : { trustedCa, crl });
  }
  if (found === null) return missing(credential, caObjectNames(credential).join(" or "));
  // Not `invalid`, which would leave the previous CA in force: taking the CA out of its Secret withdraws it.
  const keys = `neither "cacert" nor "ca.crt" is there, only ${listKeys(found)}`;
  const reason = `${credential.source} ${credential.name} of namespace ${credential.namespace} holds no client CA: ${keys}`;
  return { status: "missing", code: "missing-secret", reason };
}

export function loadCertificateFiles(chainPath: string, keyPath: string, context: CompileContext): SecretContent {
  const certificateChain = context.options.files.get(chainPath) ?? null;
  const privateKey = context.options.files.get(keyPath) ?? null;
  if (certificateChain === null || privateKey === null)
    return missingFile(certificateChain === null ? chainPath : keyPath);
  return checkedPair(certificateChain, privateKey, context);
}

export function loadTrustedCaFile(path: string, context: CompileContext): SecretContent {
  const trustedCa = context.options.files.get(path) ?? null;
  return trustedCa === null ? missingFile(path) : checked(findTrustedCaProblem(trustedCa), { trustedCa });
}

export function loadCrlFile(path: string, context: CompileContext): SecretContent {
  const crl = context.options.files.get(path) ?? null;
  return crl === null ? missingFile(path) : checked(findCrlProblem(crl), { crl });
}

export function invalid(reason: string): SecretContent {
  return { status: "invalid", code: "invalid-certificate", reason };
}

function checkedPair(certificateChain: string, privateKey: string, { options }: CompileContext): SecretContent {
  const problem = findChainProblem(certificateChain, privateKey);
  const validFromMs = chainStartMs(certificateChain);
  if (problem !== null || options.nowMs === undefined || validFromMs <= options.nowMs)
    return checked(problem, { certificateChain, privateKey });
  const reason = `the certificate is not valid before ${new Date(validFromMs).toISOString()}`;
  return { status: "invalid", code: "certificate-not-yet-valid", reason, validFromMs };
}

function checked(
  problem: string | null,
  content: Omit<Extract<SecretContent, { status: "ready" }>, "status">,
): SecretContent {
  return problem === null ? { status: "ready", ...content } : invalid(problem);
}

function missing(credential: Credential, names: string): SecretContent {
  const reason = `${credential.source} ${names} does not exist in namespace ${credential.namespace}`;
  return { status: "missing", code: "missing-secret", reason };
}

function missingFile(path: string): SecretContent {
  const reason = `the file ${path} does not exist or cannot be read`;
  return { status: "missing", code: "missing-certificate-file", reason };
}

function findObject(
  { source, namespace }: Credential,
  name: string,
  { objects }: CompileContext,
): Readonly<Record<string, string>> | null {
  return objects.keyValues(source, namespace, name)?.spec.values ?? null;
}

function listKeys(values: Readonly<Record<string, string>>): string {
  const keys = Object.keys(values).toSorted();
  return keys.length === 0 ? "nothing" : keys.map((key) => `"${key}"`).join(", ");
}
