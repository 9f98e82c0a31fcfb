// The places where an edge may find a ctrl: the control socket of this machine, or an address of another one, by mutual TLS.
import { X509Certificate } from "node:crypto";
import { connect as connectSocket, isIP, type Socket } from "node:net";
import { connect as connectTls, type PeerCertificate } from "node:tls";
import { readFileSync } from "node:fs";
import { MachineCredentials } from "@sluice/core/match";
import { type ControlSocket, parseAddress, type Settings } from "@sluice/core/settings";
import { findSocketDirectoryProblem } from "./directories.ts";

export interface CtrlTarget {
  /** For logs. */
  readonly name: string;
  /** Begins to connect. Throws when it must not. */
  open(): {
    readonly socket: Socket;
    /** The event after which the peer is who it has to be. */
    readonly readyEvent: "connect" | "secureConnect";
  };
}

export class LocalTarget implements CtrlTarget {
  readonly name: string;
  readonly #place: ControlSocket;

  constructor(place: ControlSocket) {
    this.#place = place;
    this.name = place.path;
  }

  open() {
    // Each time: whoever listens there is believed, and given what this edge has.
    const { path, ownDirectory } = this.#place;
    const problem = ownDirectory === null ? null : findSocketDirectoryProblem(ownDirectory);
    if (problem !== null) throw new Error(problem);
    return { socket: connectSocket(path), readyEvent: "connect" as const };
  }
}

export type CtrlTls = NonNullable<Settings["edge"]["ctrlTls"]>;

/** What this edge shows to ctrl on other machines, and whom it believes. Read for every connection: a rotation needs no event. */
export class CtrlCredentials {
  readonly #credentials: MachineCredentials;
  readonly #onProblem: (problem: string) => void;
  #lastProblem: string | null = null;

  /** @param onProblem the files are not usable now; what they held before stays in use, if anything. Each problem once */
  constructor({ certificate, privateKey, ca }: CtrlTls, onProblem: (problem: string) => void) {
    const paths = { certificate, privateKey, authorities: ca };
    this.#credentials = new MachineCredentials(paths, (path) => readFileSync(path, "utf8"));
    this.#onProblem = onProblem;
  }

  /** When this edge's certificate ends; null while there was none. */
  get notAfterMs(): number | null {
    return this.#credentials.current?.notAfterMs ?? null;
  }

  /** Reads the files. Returns why what is in them now is not used, or null. */
  refresh(): string | null {
    const { problem } = this.#credentials.refresh(Date.now());
    if (problem !== null && problem !== this.#lastProblem) this.#onProblem(problem);
    this.#lastProblem = problem;
    return problem;
  }

  /** @throws Error when there are none and never were */
  read() {
    const problem = this.refresh();
    const { current } = this.#credentials;
    if (current === null) throw new Error(`edge.ctrlTls: ${problem ?? "nothing was read"}`);
    const { certificate, privateKey, authorities } = current;
    return { cert: certificate, key: privateKey.reveal(), ca: [...authorities] };
  }
}

export class TlsTarget implements CtrlTarget {
  readonly name: string;
  readonly #host: string;
  readonly #port: number;
  readonly #credentials: CtrlCredentials;
  /** The name that ctrl's certificate has to hold. */
  readonly #expectedName: string;

  constructor(address: string, credentials: CtrlCredentials, serverName: string | undefined) {
    ({ host: this.#host, port: this.#port } = parseAddress(address));
    this.name = address;
    this.#credentials = credentials;
    this.#expectedName = serverName ?? this.#host;
  }

  open() {
    const socket = connectTls({
      host: this.#host,
      port: this.#port,
      ...this.#credentials.read(),
      minVersion: "TLSv1.3",
      // Said out loud: NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment of a gateway must not hand it to whoever answers.
      rejectUnauthorized: true,
      servername: isIP(this.#expectedName) === 0 ? this.#expectedName : "",
      checkServerIdentity: (_host, peer) => this.#objectionTo(peer),
    });
    return { socket, readyEvent: "secureConnect" as const };
  }

  /** OpenSSL reads the names out of the certificate itself. Never the common name; a wildcard is a whole left-most label. */
  #objectionTo(peer: PeerCertificate): Error | undefined {
    const certificate = new X509Certificate(peer.raw);
    const options = { subject: "never", partialWildcards: false } as const;
    const isNamed =
      isIP(this.#expectedName) === 0
        ? certificate.checkHost(this.#expectedName, options)
        : certificate.checkIP(this.#expectedName);
    return isNamed === undefined
      ? new Error(`who answers at ${this.name} is not ctrl: its certificate does not hold ${this.#expectedName}`)
      : undefined;
  }
}
