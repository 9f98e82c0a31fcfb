// PINGs on an HTTP/2 connection that has gone silent (`http2KeepAlive`): a peer that vanished without a word, or a firewall that forgot
// the connection, is noticed before a request is lost to it.
import type { ClientHttp2Session } from "node:http2";
import type { Socket } from "node:net";

export interface KeepaliveTimes {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

export class Http2Keepalive {
  private readonly session: ClientHttp2Session;
  private readonly socket: Socket;
  private readonly times: KeepaliveTimes;
  private readonly onDead: () => void;
  private readonly interval: NodeJS.Timeout;
  private timeout: NodeJS.Timeout | null;
  private seenBytes: number;

  /** @param onDead no answer came in time; called at most once, and not after `stop` */
  constructor(session: ClientHttp2Session, socket: Socket, times: KeepaliveTimes, onDead: () => void) {
    this.session = session;
    this.socket = socket;
    this.times = times;
    this.onDead = onDead;
    this.timeout = null;
    this.seenBytes = socket.bytesRead;
    this.interval = setInterval(() => this.tick(), times.intervalMs);
    this.interval.unref();
  }

  stop(): void {
    clearInterval(this.interval);
    if (this.timeout !== null) clearTimeout(this.timeout);
    this.timeout = null;
  }

  private tick(): void {
    const { session, socket, times, timeout } = this;
    const isSilent = socket.bytesRead === this.seenBytes;
    this.seenBytes = socket.bytesRead;
    if (!isSilent || timeout !== null || session.destroyed) return;
    this.timeout = setTimeout(() => {
      this.stop();
      this.onDead();
    }, times.timeoutMs);
    this.timeout.unref();
    session.ping((error) => {
      if (error !== null || this.timeout === null) return;
      clearTimeout(this.timeout);
      this.timeout = null;
    });
  }
}
