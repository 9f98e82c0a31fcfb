// One stream of a connection (RFC 9113, 5.1), as far as the codec is concerned: windows, what has been read, what waits to be sent.

import { noTrailers } from "../../exchange/exchange.ts";

export class Stream<Owner> {
  readonly id: number;
  /** Who the stream belongs to above the codec; null until it is said. */
  owner: Owner | null;
  /** The client has ended its side. */
  isRemoteEnded: boolean;
  /** Nothing more will be given us to send. */
  isLocalEnded: boolean;
  /** A tunnel: the client may go on when we have ended our side. */
  isTunnel: boolean;
  /** Our end is in the output. */
  isSent: boolean;
  /** What we may still send, and what the client may. */
  sendWindow: number;
  receiveWindow: number;
  /** Handed on and not released yet; and released, but not given back to the client's window yet. */
  heldBytes: number;
  releasedBytes: number;
  /** Of the body, so far, and as announced; -1 where it is not. */
  receivedBytes: number;
  announcedBytes: number;
  /** Body that waits for a window; bounded by whoever heeds `write`'s answer. Null, nearly always: none. */
  queue: Buffer[] | null;
  queuedBytes: number;
  /** `write` has returned false. */
  isBlocked: boolean;
  /** In the round of streams that want to send. */
  isScheduled: boolean;
  /** Since when what is left of a complete answer has not moved; 0: it has. */
  stalledSinceMs: number;
  /** Fields that follow the body; empty: none. */
  trailers: readonly string[];

  constructor(
    id: number,
    { sendWindow, receiveWindow }: { readonly sendWindow: number; readonly receiveWindow: number },
  ) {
    this.id = id;
    this.owner = null;
    this.isRemoteEnded = false;
    this.isLocalEnded = false;
    this.isSent = false;
    this.isTunnel = false;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
    this.heldBytes = 0;
    this.releasedBytes = 0;
    this.receivedBytes = 0;
    this.announcedBytes = -1;
    this.queue = null;
    this.queuedBytes = 0;
    this.isBlocked = false;
    this.isScheduled = false;
    this.stalledSinceMs = 0;
    this.trailers = noTrailers;
  }
}
