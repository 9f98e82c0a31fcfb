// Whether certificates, keys and revocation lists are what they claim to be. Computation only: the time is told by the caller.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { pemBlocks, type PemLabel } from "../model/pem.ts";
import { loadX509 } from "../model/x509.ts";

/**
 * A reason why the chain and key cannot serve, or null. Reasons never quote the key.
 *
 * @param nowMs a chain whose time has not come is refused: every client would refuse it. Absent: time is not judged
 */
export function findChainProblem(certificateChain: string, privateKey: string, nowMs?: number): string | null {
  const blocks = readBlocks(certificateChain, "CERTIFICATE");
  if (typeof blocks === "string") return blocks;
  const leaf = parseCertificate(blocks[0] ?? "");
  const broken = blocks.findIndex((block) => parseCertificate(block) === null);
  if (leaf === null || broken >= 0) return `certificate ${broken + 1} of the chain cannot be parsed`;
  try {
    if (!leaf.checkPrivateKey(createPrivateKey(privateKey)))
      return "the private key does not belong to the certificate";
  } catch {
    return "the private key cannot be parsed";
  }
  const startMs = chainStartMs(certificateChain);
  if (nowMs === undefined || startMs <= nowMs) return null;
  return `the certificate is not valid before ${new Date(startMs).toISOString()}`;
}

/** When the last certificate of the chain to become valid does so; 0 where none can be parsed. */
export function chainStartMs(certificateChain: string): number {
  const starts = pemBlocks(certificateChain, "CERTIFICATE").map((block) => parseCertificate(block)?.validFrom);
  return Math.max(0, ...starts.map((start) => (start === undefined ? 0 : Date.parse(start))));
}

/** A reason why the bundle cannot be trusted as client CAs, or null. Every block has to parse: half a bundle is no bundle. */
export function findTrustedCaProblem(bundle: string): string | null {
  const blocks = readBlocks(bundle, "CERTIFICATE");
  if (typeof blocks === "string") return blocks;
  const broken = blocks.findIndex((block) => parseCertificate(block) === null);
  return broken < 0 ? null : `certificate ${broken + 1} of the CA bundle cannot be parsed`;
}

/** A reason why the revocation lists cannot be used, or null. */
export function findCrlProblem(crl: string): string | null {
  const blocks = readBlocks(crl, "X509 CRL");
  if (typeof blocks === "string") return blocks;
  const broken = blocks.findIndex((block) => !isCrl(block));
  return broken < 0 ? null : `revocation list ${broken + 1} cannot be parsed`;
}

/** The PEM blocks of one kind, or why there are none to trust. A block cut off in the middle is not silently left out. */
function readBlocks(pem: string, label: PemLabel): readonly string[] | string {
  const blocks = pemBlocks(pem, label);
  const begun = pem.split(`-----BEGIN ${label}-----`).length - 1;
  if (begun === 0) return `there is no PEM block "${label}"`;
  return blocks.length === begun ? blocks : `a PEM block "${label}" is cut off`;
}

function parseCertificate(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
}

function isCrl(pem: string): boolean {
  try {
    return new (loadX509().X509Crl)(pem).rawData.byteLength > 0;
  } catch {
    return false;
  }
}
