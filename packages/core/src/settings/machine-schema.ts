// The settings of a tier of several machines: where ctrl serves edges of other machines, where an edge finds ctrl, and who each of them is.
import { z } from "zod";

/** `host:port`; IPv6 in brackets. */
const peerAddress = z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:[\]/]+):[1-9]\d{0,4}$/, {
  error: 'must be "host:port", such as ctrl-1.example:15012',
});

const path = z.string().min(1);

/** Mutual TLS is not a choice: private keys cross this connection. */
const tlsRequired = {
  error: "is required: private keys cross this connection, so both ends have to prove who they are",
};

const identityPattern = z.string().regex(/^[\x21-\x7a\x7c\x7e]*\{id\}[\x21-\x7a\x7c\x7e]*$/, {
  error: 'must hold "{id}" once, in place of the edge\'s node.id, such as spiffe://tier.example/edge/{id}',
});

/** For edges on other machines; `address` is that of the schema's other listeners. */
export function publishSchema(address: z.ZodType<string>) {
  return z
    .strictObject({
      address: address.describe("Where edges of other machines connect, by mutual TLS 1.3."),
      tls: z.strictObject(
        {
          certificate: path.describe("This ctrl's chain (PEM); must hold the name that edges connect to."),
          privateKey: path.describe("Its private key (PEM)."),
          clientCa: path.describe("The authorities that sign edges' certificates (PEM)."),
          allowedIdentities: z
            .array(identityPattern)
            .min(1)
            .default(["{id}"])
            .describe(
              "The subject alternative names (DNS or URI) that let a certificate speak for an edge: one must be there, with the edge's `node.id` in place of `{id}`.",
            ),
        },
        tlsRequired,
      ),
    })
    .optional()
    .describe("Serve edges of other machines. Edges of this machine use the control socket.");
}

export const edgeCtrlSchema = z
  .array(peerAddress)
  .max(16)
  .default([])
  .describe(
    "Addresses of ctrl on other machines (`ctrl.publish.address`), tried in order; empty: the ctrl of this machine.",
  );

export const edgeCtrlTlsSchema = z
  .strictObject({
    certificate: path.describe("This edge's chain (PEM); a name in it must allow `node.id`."),
    privateKey: path.describe("Its private key (PEM)."),
    ca: path.describe("The authorities that sign ctrl's certificate (PEM)."),
    serverName: z
      .string()
      .min(1)
      .optional()
      .describe("The name that ctrl's certificate must hold; default: the host of the address."),
  })
  .optional()
  .describe("Who this edge is towards ctrl on other machines.");

/** What concerns more than one key. Null when all is well. */
export function findMachineProblem(edge: {
  readonly ctrl: readonly string[];
  readonly ctrlTls?: object | undefined;
}): { readonly path: readonly string[]; readonly message: string } | null {
  if (edge.ctrl.length > 0 && edge.ctrlTls === undefined) return { path: ["ctrlTls"], message: tlsRequired.error };
  const repeated = edge.ctrl.find((address, index) => edge.ctrl.indexOf(address) !== index);
  return repeated === undefined ? null : { path: ["ctrl"], message: `names ${repeated} twice` };
}
