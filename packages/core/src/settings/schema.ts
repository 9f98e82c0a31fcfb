// The shape of sluice.yaml (CONTRACT, "Running"). Every key is optional, an unknown one is an error: a misspelt key that is
// silently ignored is a gateway that does not do what its operator believes.
import { z } from "zod";

const port = z.int().min(0).max(65_535);

/** `host:port`; IPv6 in brackets; port 0 takes a free one. */
const address = z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):\d{1,5}$/, {
  error: 'must be "host:port", such as 127.0.0.1:15000 (port 0 takes a free one)',
});

const durationSeconds = z.number().min(0).max(86_400);
const bytes = z.int().min(1);

const limits = z.strictObject({
  maxConnections: z.int().min(1).default(65_536),
  maxConcurrentStreams: z.int().min(1).default(100),
  maxHeadBytes: bytes.min(1024).max(1_048_576).default(65_536),
  maxHeaderCount: z.int().min(1).max(10_000).default(200),
  handshakeTimeoutSeconds: durationSeconds.min(0.1).default(15),
  requestHeadTimeoutSeconds: durationSeconds.min(0.1).default(60),
  idleTimeoutSeconds: durationSeconds.min(1).default(3600),
  /** No byte in either direction while an exchange is under way; 0 switches it off. */
  streamIdleTimeoutSeconds: durationSeconds.default(300),
});

const accessLog = z.strictObject({
  path: z.string().min(1).default("/dev/stdout"),
  format: z.enum(["text", "json"]).default("text"),
});

const edge = z.strictObject({
  workers: z.union([z.literal("auto"), z.int().min(1).max(1024)]).default("auto"),
  bind: z.string().min(1).default("0.0.0.0"),
  ports: z.record(z.string().regex(/^\d{1,5}$/, { error: "must be a port number" }), port).default({}),
  engine: z.enum(["auto", "node"]).default("auto"),
  alpn: z
    .array(z.enum(["h2", "http/1.1"]))
    .min(1)
    .default(["h2", "http/1.1"]),
  drainSeconds: durationSeconds.default(30),
  accessLog: accessLog.prefault({}),
  limits: limits.prefault({}),
});

export const settingsSchema = z.strictObject({
  node: z
    .strictObject({
      id: z.string().min(1).default("edge-1"),
      namespace: z.string().min(1).default("istio-system"),
      labels: z.record(z.string(), z.string()).default({ istio: "ingressgateway" }),
    })
    .prefault({}),
  config: z.strictObject({ directory: z.string().min(1).default("./config") }).prefault({}),
  /** Where the edge keeps its last good table and both meet: the control socket. */
  state: z.strictObject({ directory: z.string().min(1).default("./.sluice") }).prefault({}),
  edge: edge.prefault({}),
  admin: z.strictObject({ address: address.default("127.0.0.1:15000") }).prefault({}),
  ctrl: z.strictObject({ address: address.default("127.0.0.1:15010") }).prefault({}),
});

/** sluice.yaml with every default filled in. Paths are as written: relative to the file. */
export type Settings = z.output<typeof settingsSchema>;
