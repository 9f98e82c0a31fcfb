// Who a machine is towards others of its tier: chain, key and authorities, read anew whenever they are about to be used, so that a
// rotation needs no event. What is broken never replaces what is good.
import { X509Certificate } from "node:crypto";
import { findChainProblem, findTrustedCaProblem } from "../compile/pem.ts";
import { pemBlocks, SecretText } from "../model/index.ts";

/** Paths, or what stands in them. */
export interface CredentialPaths {
  readonly certificate: string;
  readonly privateKey: string;
  readonly authorities: string;
}

export interface MachineCredential {
  /** PEM, leaf first. */
  readonly certificate: string;
  readonly privateKey: SecretText;
  /** PEM blocks. */
  readonly authorities: readonly string[];
  /** When the first certificate of the chain ends. */
  readonly notAfterMs: number;
}

export interface CredentialReading {
  /** Other content is in use than before. */
  readonly isChanged: boolean;
  /** An authority is not trusted any more that was: what it vouched for has to be looked at again. */
  readonly isAuthorityWithdrawn: boolean;
  /** Why what is in the files now is not used. Null when it is. */
  readonly problem: string | null;
}

/** @throws Error when the file cannot be read */
export type ReadText = (path: string) => string;

export class MachineCredentials {
  readonly #paths: CredentialPaths;
  readonly #read: ReadText;
  #current: MachineCredential | null = null;

  constructor(paths: CredentialPaths, read: ReadText) {
    this.#paths = paths;
    this.#read = read;
  }

  /** What was good when it was last read; null before that. */
  get current(): MachineCredential | null {
    return this.#current;
  }

  /** Reads the files. */
  refresh(nowMs: number): CredentialReading {
    const before = this.#current;
    const next = this.#load(nowMs);
    if (typeof next === "string") return { isChanged: false, isAuthorityWithdrawn: false, problem: next };
    if (before !== null && isSame(before, next))
      return { isChanged: false, isAuthorityWithdrawn: false, problem: null };
    this.#current = next;
    const isAuthorityWithdrawn = before?.authorities.some((pem) => !next.authorities.includes(pem)) ?? false;
    return { isChanged: true, isAuthorityWithdrawn, problem: null };
  }

  #load(nowMs: number): MachineCredential | string {
    try {
      const [certificate, privateKey] = [this.#read(this.#paths.certificate), this.#read(this.#paths.privateKey)];
      const bundle = this.#read(this.#paths.authorities);
      const problem = findChainProblem(certificate, privateKey, nowMs);
      if (problem !== null) return `${this.#paths.certificate}: ${problem}`;
      const caProblem = findTrustedCaProblem(bundle);
      if (caProblem !== null) return `${this.#paths.authorities}: ${caProblem}`;
      const authorities = pemBlocks(bundle, "CERTIFICATE");
      const ends = pemBlocks(certificate, "CERTIFICATE").map((pem) => Date.parse(new X509Certificate(pem).validTo));
      const notAfterMs = Math.min(...ends);
      return { certificate, privateKey: new SecretText(privateKey), authorities, notAfterMs };
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

function isSame(left: MachineCredential, right: MachineCredential): boolean {
  return (
    left.certificate === right.certificate &&
    left.privateKey.reveal() === right.privateKey.reveal() &&
    left.authorities.join() === right.authorities.join()
  );
}
