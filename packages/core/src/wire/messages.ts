// What ctrl and edge say to each other. Every field is checked when it arrives; unknown fields are ignored, unknown messages refused.
import {
  bytes,
  count,
  flag,
  integer,
  isRecord,
  list,
  nullable,
  object,
  oneOf,
  pair,
  port,
  ShapeMismatch,
  text,
} from "./codec.ts";
import type { Codec } from "./codec.ts";
import { manifestVersion, resourceTypes } from "./manifest.ts";
import type { ManifestEntry, ResourceKey } from "./manifest.ts";
import type { ManifestDelta } from "./manifest-delta.ts";
import { packPlain } from "./message-pack.ts";
import { unpackPlain } from "./message-pack-reader.ts";
import { WireError } from "./wire-error.ts";

/** Raised when a peer of the other version could not understand what is sent. */
export const protocolVersion = 2;

/** Each end says that it is alive this often, and takes the other for gone when it has heard nothing for so long. */
export const aliveEveryMs = 5_000;
export const silenceLimitMs = 20_000;

/** First words of an edge: who it is. Short, because they are read before it is known who speaks. */
export interface HelloMessage {
  readonly type: "hello";
  readonly protocol: number;
  readonly edgeId: string;
  readonly productVersion: string;
  /** The version the edge serves, null when it serves none. */
  readonly version: string | null;
}

/** What the edge holds, where ctrl does not know it by the version. */
export interface InventoryMessage {
  readonly type: "inventory";
  /** Digests of resources. */
  readonly have: readonly string[];
}

/** Every worker serves the version. */
export interface AckMessage {
  readonly type: "ack";
  readonly version: string;
  readonly workers: readonly { readonly worker: number; readonly pid: number; readonly appliedMs: number }[];
}

/** The version was refused; the edge serves what it served before. */
export interface NackMessage {
  readonly type: "nack";
  readonly version: string;
  /** Null when the edge's primary refused it before any worker saw it. */
  readonly worker: number | null;
  readonly reason: string;
}

/** Sent when anything in it changes. */
export interface StatusMessage {
  readonly type: "status";
  readonly workers: readonly WorkerStatus[];
  readonly listeners: readonly ListenerStatus[];
}

export interface WorkerStatus {
  readonly worker: number;
  readonly pid: number;
  readonly version: string | null;
  /** When it began to serve that version, in milliseconds since 1970. */
  readonly sinceMs: number;
  /** How long it took to do so. */
  readonly appliedMs: number;
}

export interface ListenerStatus {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly boundPort: number;
  readonly engine: "uws" | "node";
}

/** Ctrl's answer to hello. */
export interface WelcomeMessage {
  readonly type: "welcome";
  readonly protocol: number;
  readonly ctrlUrl: string;
  /** Ctrl does not know the edge's version, and waits for an inventory before it sends a table. */
  readonly wantsInventory: boolean;
}

/** A table as what changes: resources put and removed, with the bytes of those that the edge lacks. */
export interface CommitMessage extends ManifestDelta {
  readonly type: "commit";
  readonly version: string;
  /** The version that the edge must serve for this to make sense; null: none, `put` is the whole manifest. */
  readonly base: string | null;
  /** Digest and bytes. */
  readonly resources: readonly (readonly [string, Uint8Array])[];
}

/** The configuration has errors and there is no earlier version to serve. */
export interface RefusedMessage {
  readonly type: "refused";
  readonly reason: string;
}

/** Nothing but a sign of life: a machine that lost its power sends no FIN. */
export interface AliveMessage {
  readonly type: "alive";
}

export type EdgeMessage = HelloMessage | InventoryMessage | AckMessage | NackMessage | StatusMessage | AliveMessage;
export type CtrlMessage = WelcomeMessage | CommitMessage | RefusedMessage | AliveMessage;
export type Message = EdgeMessage | CtrlMessage;

const worker = { worker: count, pid: count };
const alive = object<AliveMessage>({ type: oneOf("alive") });
const key = { type: oneOf(...resourceTypes), name: text };

const edgeCodecs = {
  hello: object<HelloMessage>({
    type: oneOf("hello"),
    protocol: integer,
    edgeId: text,
    productVersion: text,
    version: nullable(text),
  }),
  inventory: object<InventoryMessage>({ type: oneOf("inventory"), have: list(text) }),
  ack: object<AckMessage>({
    type: oneOf("ack"),
    version: text,
    workers: list(object<AckMessage["workers"][number]>({ ...worker, appliedMs: count })),
  }),
  nack: object<NackMessage>({ type: oneOf("nack"), version: text, worker: nullable(count), reason: text }),
  status: object<StatusMessage>({
    type: oneOf("status"),
    workers: list(object<WorkerStatus>({ ...worker, version: nullable(text), sinceMs: count, appliedMs: count })),
    listeners: list(
      object<ListenerStatus>({ name: text, address: text, port, boundPort: port, engine: oneOf("uws", "node") }),
    ),
  }),
  alive,
};

const ctrlCodecs = {
  welcome: object<WelcomeMessage>({
    type: oneOf("welcome"),
    protocol: integer,
    ctrlUrl: text,
    wantsInventory: flag,
  }),
  commit: object<CommitMessage>({
    type: oneOf("commit"),
    version: text,
    base: nullable(text),
    put: list(object<ManifestEntry>({ ...key, digest: text })),
    remove: list(object<ResourceKey>(key)),
    resources: list(pair(text, bytes)),
  }),
  refused: object<RefusedMessage>({ type: oneOf("refused"), reason: text }),
  alive,
};

/** Who wrote what is being read: an edge never takes orders from an edge. */
export type Sender = "edge" | "ctrl";

export interface MessageFrom {
  readonly edge: EdgeMessage;
  readonly ctrl: CtrlMessage;
}

const codecsBySender: Record<Sender, ReadonlyMap<string, Codec<Message>>> = {
  edge: new Map(Object.entries(edgeCodecs)),
  ctrl: new Map(Object.entries(ctrlCodecs)),
};

/** Encodes a message without its frame. */
export function packMessage(message: Message): Uint8Array {
  const codec = codecsBySender.edge.get(message.type) ?? codecsBySender.ctrl.get(message.type);
  if (codec === undefined) throw new WireError("unknown-message", `no message is called ${message.type}`);
  return packPlain(codec.encode(message));
}

/**
 * Decodes and checks a message without its frame.
 * @throws WireError
 */
export function unpackMessage<From extends Sender>(sender: From, payload: Uint8Array): MessageFrom[From] {
  const value = unpackPlain(payload);
  const type = isRecord(value) ? value["type"] : undefined;
  if (typeof type !== "string") throw new ShapeMismatch("is not a message");
  const codec = codecsBySender[sender].get(type);
  if (codec === undefined)
    throw new WireError("unknown-message", `no message of ${sender} is called ${JSON.stringify(type.slice(0, 40))}`);
  const message = codec.decode(value);
  if ("protocol" in message && message.protocol !== protocolVersion) {
    throw new WireError("protocol-version", `protocol ${message.protocol} is spoken there, ${protocolVersion} here`);
  }
  // Of a delta only who has its base can tell.
  if (message.type === "commit" && message.base === null && manifestVersion(message.put) !== message.version) {
    throw new WireError("digest-mismatch", `the manifest is not that of version ${message.version}`);
  }
  return message as MessageFrom[From];
}
