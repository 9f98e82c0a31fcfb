// The attacking process: frames over raw TLS, as fast as the server takes them, on a new connection whenever one is ended. Told what to do by its
// argument, it says on standard output what came of it.
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { framesOf, frameType, preface, settings } from "@sluice/http2-frames";
import { type Attack, type AttackName, attackOf } from "@sluice/http2-frames/attacks";

export interface AttackOrder {
  readonly attack: AttackName;
  readonly port: number;
  readonly seconds: number;
  /** At once. */
  readonly connections: number;
}

export interface AttackOutcome {
  readonly connections: number;
  readonly ended: number;
  /** From the first byte of an attack to the end of its connection; null where none was ended. */
  readonly firstEndMs: number | null;
  /** Of the first GOAWAY with an error; null without one. */
  readonly code: number | null;
  readonly sentBytes: number;
}

const piecesAtOnce = 100;
const acknowledged = Buffer.of(0, 0, 0, frameType.settings, 1, 0, 0, 0, 0);

class Campaign {
  readonly #order: AttackOrder;
  readonly #attack: Attack;
  readonly #endsAt: number;
  readonly #outcome: { -readonly [Key in keyof AttackOutcome]: AttackOutcome[Key] };

  constructor(order: AttackOrder) {
    this.#order = order;
    this.#attack = attackOf(order.attack);
    this.#endsAt = performance.now() + order.seconds * 1000;
    this.#outcome = { connections: 0, ended: 0, firstEndMs: null, code: null, sentBytes: 0 };
  }

  async run(): Promise<AttackOutcome> {
    await Promise.all(Array.from({ length: this.#order.connections }, () => this.#keepAttacking()));
    return this.#outcome;
  }

  async #keepAttacking(): Promise<void> {
    while (performance.now() < this.#endsAt) {
      // One connection after the other.
      // eslint-disable-next-line no-await-in-loop
      await this.#attackOnce();
    }
  }

  /** Resolves when the server has ended the connection, or the time is up. */
  async #attackOnce(): Promise<void> {
    const socket = connect({
      port: this.#order.port,
      host: "127.0.0.1",
      ALPNProtocols: ["h2"],
      rejectUnauthorized: false,
    });
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => undefined);
    await Promise.race([once(socket, "secureConnect").catch(() => undefined), closed]);
    this.#outcome.connections++;
    const startedAt = performance.now();
    let isTimeUp = false;
    const timer = setTimeout(
      () => {
        isTimeUp = true;
        socket.destroy();
      },
      Math.max(0, this.#endsAt - startedAt),
    );
    if (this.#attack.isDeaf) socket.pause();
    else this.#listen(socket);
    socket.write(Buffer.concat([preface, settings(), acknowledged, this.#attack.opening ?? Buffer.alloc(0)]));
    await Promise.all([this.#send(socket, closed), closed]);
    clearTimeout(timer);
    this.#outcome.sentBytes += socket.bytesWritten;
    if (isTimeUp) return;
    this.#outcome.ended++;
    this.#outcome.firstEndMs ??= performance.now() - startedAt;
  }

  async #send(socket: TLSSocket, closed: Promise<void>): Promise<void> {
    const { piece } = this.#attack;
    if (piece === null) return;
    for (let index = 0; socket.writable; index += piecesAtOnce) {
      const first = index;
      const pieces = Buffer.concat(Array.from({ length: piecesAtOnce }, (_, i) => piece(first + i)));
      const drained = socket.write(pieces) ? new Promise((resolve) => setImmediate(resolve)) : once(socket, "drain");
      // eslint-disable-next-line no-await-in-loop
      await Promise.race([drained.catch(() => undefined), closed]);
    }
  }

  /** Until the GOAWAY that is meant for attackers: an error. */
  #listen(socket: TLSSocket): void {
    let unread = Buffer.alloc(0);
    socket.on("end", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      if (this.#outcome.code !== null) return;
      unread = Buffer.concat([unread, chunk]);
      const frames = framesOf(unread);
      const goAway = frames.find(({ type, payload }) => type === frameType.goaway && payload.readUInt32BE(4) !== 0);
      if (goAway !== undefined) this.#outcome.code = goAway.payload.readUInt32BE(4);
      unread = unread.subarray(frames.reduce((bytes, { payload }) => bytes + 9 + payload.length, 0));
    });
  }
}

const order = JSON.parse(process.argv[2] ?? "") as AttackOrder;
process.stdout.write(JSON.stringify(await new Campaign(order).run()));
