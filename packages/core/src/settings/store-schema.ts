// The keys of sluice.yaml's `ctrl.store`: where what was pushed is kept, alone on this machine or in one place for several.
import { z } from "zod";
import { isLoopback } from "./loopback.ts";

/** A URL with nothing behind its port. In clear only to this machine: Secrets and the password would cross the network readable. */
const endpoint = z.string().refine(isEndpoint, {
  error: 'must be "https://host:port"; "http://" only for a loopback address, because private keys cross it',
});

const etcd = z
  .strictObject({
    endpoints: z
      .array(endpoint)
      .min(1)
      .max(32)
      .describe(
        "Client URLs of the members, the nearest first. `http://` only for loopback addresses: Secrets are stored in clear.",
      ),
    prefix: z
      .string()
      .min(1)
      .max(200)
      .regex(/^\/.*[^/]$/, { error: 'must begin with "/" and end without one, such as /sluice' })
      .default("/sluice")
      .describe("All keys lie below it; each tier of gateways has its own."),
    tls: z
      .strictObject({
        ca: z.string().min(1).optional().describe("PEM bundle that vouches for the members; without: the system's."),
        certificate: z.string().min(1).optional().describe("PEM client certificate, read again when it changes."),
        privateKey: z.string().min(1).optional().describe("PEM key of the client certificate."),
      })
      .refine(({ certificate, privateKey }) => (certificate === undefined) === (privateKey === undefined), {
        error: "takes certificate and privateKey together",
      })
      .prefault({}),
    username: z.string().min(1).optional().describe("User of etcd's own authentication; needs `passwordFile`."),
    passwordFile: z.string().min(1).optional().describe("Holds the user's password and nothing else."),
    timeoutSeconds: z
      .number()
      .min(1)
      .max(120)
      .default(10)
      .describe("How long a member is looked for that answers: an election has to fit in. Then pushes are 503."),
  })
  .refine(({ username, passwordFile }) => (username === undefined) === (passwordFile === undefined), {
    error: "takes username and passwordFile together",
  });

export const storeSettings = z
  .strictObject({
    kind: z
      .enum(["embedded", "etcd"])
      .default("embedded")
      .describe("`embedded`: in the state directory, for one ctrl. `etcd`: one truth for several."),
    etcd: etcd.optional(),
  })
  .refine(({ kind, etcd: given }) => (kind === "etcd") === (given !== undefined), {
    error: "`kind: etcd` and `etcd.endpoints` come together",
  });

function isEndpoint(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.pathname !== "/" || url.search !== "" || url.username !== "" || url.hash !== "") return false;
  if (url.protocol === "https:") return true;
  return url.protocol === "http:" && isLoopback(url.hostname.replace(/^\[|\]$/g, ""));
}
