// The keys of sluice.yaml's `ctrl` that concern the API and the store: who may do what, and where what was pushed is kept.
import { z } from "zod";
import { storeSettings } from "./store-schema.ts";

const role = z.enum(["read", "write"]);

const token = z
  .strictObject({
    name: z.string().min(1).max(100).describe("The author of what is pushed with it."),
    role,
    tokenFile: z
      .string()
      .min(1)
      .optional()
      .describe("Holds the token and nothing else; read again when it changes, and removing it revokes the token."),
    sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, { error: "must be the 64 hex digits of a SHA-256" })
      .optional()
      .describe("Of the token, in its place."),
  })
  .refine(({ tokenFile, sha256 }) => (tokenFile === undefined) !== (sha256 === undefined), {
    error: "takes either tokenFile or sha256",
  });

const tls = z
  .strictObject({
    certificate: z.string().min(1).describe("PEM chain of the API; read again when it changes."),
    privateKey: z.string().min(1).describe("PEM key of the API."),
    clientCa: z
      .string()
      .min(1)
      .optional()
      .describe("PEM bundle that vouches for client certificates; without tokens, every client needs one."),
    clients: z
      .array(
        z.strictObject({
          name: z
            .string()
            .min(1)
            .describe("A subject alternative name of the certificate, or `CN=...` for its common name."),
          role,
        }),
      )
      .default([])
      .describe(
        "Who may do what by certificate: `name` is a subject alternative name or `CN=...`, `role` read or write.",
      ),
  })
  // A CA vouches for names; without a list every name that it ever signed, or none, could be meant.
  .refine(({ clientCa, clients }) => (clientCa === undefined) === (clients.length === 0), {
    error: "takes clientCa and clients together, or neither",
  });

/** Keys of `ctrl`, beside its address. */
export const ctrlApiKeys = {
  tokens: z
    .array(token)
    .max(1000)
    .default([])
    .describe(
      "Bearer tokens: `name`, `role` (read or write), and `tokenFile` or `sha256`. With any, nobody is let in without.",
    ),
  tls: tls.optional(),
  maxBodyBytes: z
    .int()
    .min(1024)
    .max(256 * 1024 * 1024)
    .default(32 * 1024 * 1024)
    .describe("Bytes of a request's body; more is 413."),
  maxEventStreams: z.int().min(1).max(10_000).default(64).describe("Clients that may follow `/v1/events` at once."),
  store: storeSettings.prefault({}),
  history: z.int().min(1).max(10_000).default(100).describe("Versions that are kept to look at and to go back to."),
};
