// The shape of sluice.yaml (CONTRACT, "Running"). Every key is optional, an unknown one is an error: a misspelt key that is
// silently ignored is a gateway that does not do what its operator believes.
import { isIP } from "node:net";
import { z } from "zod";
import { ctrlApiKeys } from "./ctrl-schema.ts";
import { edgeCtrlSchema, edgeCtrlTlsSchema, findMachineProblem, publishSchema } from "./machine-schema.ts";

const port = z.int().min(0).max(65_535);

/** `host:port`; IPv6 in brackets; port 0 takes a free one. */
const address = z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):\d{1,5}$/, {
  error: 'must be "host:port", such as 127.0.0.1:15000 (port 0 takes a free one)',
});

const durationSeconds = z.number().min(0).max(86_400);
const bytes = z.int().min(1);

const limits = z.strictObject({
  maxConnections: z
    .int()
    .min(1)
    .default(65_536)
    .describe("Client connections that a worker holds over all its listeners; more are closed at once."),
  maxConcurrentStreams: z.int().min(1).default(100).describe("HTTP/2 streams a connection may have open."),
  maxHeadBytes: bytes.min(1024).max(1_048_576).default(61_440).describe("Bytes of a request's head; more is 431."),
  maxHeaderCount: z.int().min(1).max(10_000).default(100).describe("Headers of a request; more is 431."),
  handshakeTimeoutSeconds: durationSeconds
    .min(0.1)
    .default(15)
    .describe("From accept to the end of the TLS handshake; before it, a PROXY protocol header has as long."),
  requestHeadTimeoutSeconds: durationSeconds
    .min(0.1)
    .default(60)
    .describe(
      "From a request's first byte to the end of its head: 408, or GOAWAY on HTTP/2; on uWebSockets.js about 10 s, and the connection closes.",
    ),
  idleTimeoutSeconds: durationSeconds
    .min(1)
    .default(3600)
    .describe("A client connection without a request closes; on uWebSockets.js after about 10 s."),
  streamIdleTimeoutSeconds: durationSeconds
    .default(300)
    .describe(
      "No byte in either direction while a request is under way: 504, or a reset once the response has begun; 0: never. Also for what a client does not take of a response that is complete.",
    ),
  requestTimeoutSeconds: durationSeconds
    .default(0)
    .describe(
      "From a request's head to the end of its response: 504, or a reset once the response has begun; 0: never. Not for WebSocket.",
    ),
  maxBodyBytes: z
    .int()
    .min(0)
    .default(0)
    .describe("Bytes of a request's body: 413, or a reset once the response has begun; 0: without limit."),
  retryBufferBytes: z
    .int()
    .min(0)
    .max(67_108_864)
    .default(1_048_576)
    .describe(
      "Bytes of a request's body that are kept in case its route sends it again; a request with a longer body is not retried once it has been read so far; 0: only requests without body are.",
    ),
  retryBufferTotalBytes: z
    .int()
    .min(0)
    .max(4_294_967_296)
    .default(67_108_864)
    .describe("The same over all requests of a worker; beyond it the next body is not kept."),
  streamBufferBytes: bytes
    .min(16_384)
    .max(16_777_216)
    .default(65_536)
    .describe("What a client may send ahead of our reading on one HTTP/2 stream (its window)."),
  connectionBufferBytes: bytes
    .min(65_535)
    .max(268_435_456)
    .default(1_048_576)
    .describe(
      "The same over all streams of an HTTP/2 connection. With `codec: node` it opens again as data arrives, read or not: there what is held of bodies is bounded by `maxConcurrentStreams` times `streamBufferBytes`.",
    ),
  webSocketBufferBytes: bytes
    .min(65_536)
    .max(268_435_456)
    .default(4_194_304)
    .describe(
      "On uWebSockets.js, whose WebSockets cannot be paused: largest message of a client, and bytes its backend may be behind; more closes it (1009, 1013).",
    ),
  maxResetStreamsPerMinute: z
    .int()
    .min(1)
    .default(500)
    .describe(
      "HTTP/2 streams of one connection that end in a reset before their response is complete; more is GOAWAY.",
    ),
  maxControlFramesPerMinute: z
    .int()
    .min(1)
    .default(1000)
    .describe(
      "Frames of one HTTP/2 connection that carry nothing: SETTINGS, PRIORITY and empty DATA one by one; PING and unknown ones by their bytes, as far as these are more than three times the bytes of its requests and responses; more is GOAWAY. WINDOW_UPDATE counts with them with `codec: node`; else ten for each DATA frame it was sent are free, two for each stream, and a hundred.",
    ),
});

const accessLog = z.strictObject({
  path: z.string().min(1).default("/dev/stdout").describe("A file, `/dev/stdout`, `/dev/stderr`, or `off`."),
  format: z.enum(["text", "json"]).default("text").describe("Istio's text line or Istio's JSON."),
});

const seconds = z.number().min(0.05).max(86_400);

const dns = z.strictObject({
  servers: z
    .array(
      z.string().refine((text) => isIP(text) !== 0 || isAddressWithPort(text), {
        error: 'must be an IP address, with a port where it is not 53: "10.0.0.10", "127.0.0.1:5353", "[::1]:5353"',
      }),
    )
    .max(16)
    .default([])
    .describe("Name servers to ask for upstream host names; empty: those of the system."),
  minTtlSeconds: seconds.default(1).describe("An answer is kept at least this long, whatever its TTL."),
  maxTtlSeconds: seconds
    .default(300)
    .describe("An answer is asked for anew at the latest after this, whatever its TTL."),
});

/** `127.0.0.1:53`, `[::1]:53`. */
function isAddressWithPort(text: string): boolean {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  return match !== null && isIP(match[1] ?? match[2] ?? "") !== 0 && Number(match[3]) <= 65_535;
}

const edgeKeys = z.strictObject({
  workers: z
    .union([z.literal("auto"), z.int().min(1).max(1024)])
    .default("auto")
    .describe("Worker processes; `auto`: one a core."),
  bind: z.string().min(1).default("0.0.0.0").describe("Address for servers without a `bind` of their own."),
  ports: z
    .record(z.string().regex(/^\d{1,5}$/, { error: "must be a port number" }), port)
    .default({})
    .describe("Declared Gateway port → port really bound; 0 takes a free one."),
  engine: z.enum(["auto", "node"]).default("auto").describe("`auto` uses uWebSockets.js where it is correct to."),
  codec: z
    .enum(["own", "node"])
    .default("own")
    .describe("Who reads and writes HTTP on `engine: node`: Sluice's own codecs, or Node's."),
  http10: z
    .boolean()
    .default(false)
    .describe("Serve HTTP/1.0 too (then everything runs on `engine: node`); otherwise it gets 426."),
  alpn: z
    .array(z.enum(["h2", "http/1.1"]))
    .min(1)
    .default(["h2", "http/1.1"])
    .describe("What TLS listeners offer; `[http/1.1]` lets SIMPLE ports run on uWebSockets.js."),
  drainSeconds: durationSeconds.default(30).describe("How long SIGTERM waits for requests under way."),
  accessLog: accessLog.prefault({}),
  dns: dns.prefault({}),
  limits: limits.prefault({}),
  ctrl: edgeCtrlSchema,
  ctrlTls: edgeCtrlTlsSchema,
});

const edge = edgeKeys.superRefine((value, context) => {
  const problem = findMachineProblem(value);
  if (problem !== null) context.addIssue({ code: "custom", ...problem, path: [...problem.path] });
});

const certificates = z.strictObject({
  warnDays: z
    .int()
    .min(0)
    .max(3650)
    .default(30)
    .describe("Days before the end of a certificate from which it is warned about."),
  urgentDays: z
    .int()
    .min(0)
    .max(3650)
    .default(7)
    .describe("Days before the end of a certificate from which the warning is an error."),
});

export const settingsSchema = z.strictObject({
  node: z
    .strictObject({
      id: z.string().min(1).default("edge-1").describe("Name of this machine in status."),
      namespace: z.string().min(1).default("istio-system").describe("Where bare credential names are looked up."),
      labels: z
        .record(z.string(), z.string())
        .default({ istio: "ingressgateway" })
        .describe("What a Gateway's `selector` is matched against."),
      locality: z
        .string()
        .regex(/^(?:[^*/]+(?:\/[^*/]+){0,2})?$/, { error: 'must be "region", "region/zone" or "region/zone/subzone"' })
        .default("")
        .describe(
          "Where this machine runs, `region/zone/subzone`: endpoints nearby come first. Empty: none are nearer.",
        ),
    })
    .prefault({}),
  config: z
    .strictObject({
      directory: z
        .string()
        .min(1)
        .default("./config")
        .describe("Watched; a bad file never takes the running table down. `off`: there is only what is pushed."),
    })
    .prefault({}),
  state: z
    .strictObject({
      directory: z
        .string()
        .min(1)
        .default("./.sluice")
        .describe(
          "Control socket, last good table and session ticket key; holds private keys, readable by its owner only.",
        ),
    })
    .prefault({}),
  edge: edge.prefault({}),
  admin: z
    .strictObject({
      address: address.default("127.0.0.1:15000").describe("Health, metrics, dump and drain of the edge."),
    })
    .prefault({}),
  ctrl: z
    .strictObject({
      address: address
        .default("127.0.0.1:15010")
        .describe("API of ctrl; one that is not loopback needs `ctrl.tokens` or `ctrl.tls.clientCa`."),
      ...ctrlApiKeys,
      publish: publishSchema(address),
    })
    .prefault({}),
  certificates: certificates.prefault({}),
});

/** sluice.yaml with every default filled in. Paths are as written: relative to the file. */
export type Settings = z.output<typeof settingsSchema>;
