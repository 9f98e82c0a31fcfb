// Everyone who knocks at a host that demands certificates: those it was told to let in, and impostors of every kind.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Authority, createAuthority, type IssueOptions } from "@sluice/demo/certificates";

/** What a client shows. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** Names that hosts of the stories list as `subjectAltNames`. */
export const listedDns = "client.example";
export const listedUri = "spiffe://cluster.example/ns/shop/sa/cart";

const run = promisify(execFile);
const day = 86_400_000;
const daysAgo = (days: number): Date => new Date(Date.now() - days * day);

const [emailTag, dnsTag] = [0x81, 0x82] as const;

/** A subject alternative name extension with one name of any bytes: SEQUENCE { [tag] bytes }. */
function rawSan(tag: number, bytes: string): Uint8Array {
  return Buffer.concat([Buffer.from([0x30, bytes.length + 2, tag, bytes.length]), Buffer.from(bytes, "latin1")]);
}

/** Issues a client certificate. */
export async function clientOfAuthority(authority: Authority, options: Partial<IssueOptions>): Promise<Identity> {
  const issued = await authority.issue({ commonName: "client", client: true, ...options });
  return { cert: issued.chainPem, key: issued.keyPem };
}

/** Impostors that the list of names alone has to tell from the listed client: each has a certificate of the right authority. */
export async function wronglyNamedClients(authority: Authority): Promise<ReadonlyMap<string, Identity>> {
  const names: Readonly<Record<string, Partial<IssueOptions>>> = {
    "a name that is not listed": { dnsNames: ["other.example"] },
    "no name at all": {},
    "the listed name as common name only": { commonName: listedDns },
    "a longer name that begins with the listed one": { dnsNames: [`${listedDns}.evil.example`] },
    "a longer name that ends with the listed one": { dnsNames: [`x${listedDns}`] },
    "a part of the listed name": { dnsNames: ["lient.example"] },
    "a name below the listed one": { dnsNames: [`a.${listedDns}`] },
    "a wildcard below the listed name": { dnsNames: [`*.${listedDns}`] },
    "a wildcard for a part of a label": { rawSan: rawSan(dnsTag, "cli*.example") },
    "the listed DNS name as a URI": { uris: [`dns:${listedDns}`] },
    "the listed DNS name as an e-mail address": { rawSan: rawSan(emailTag, listedDns) },
    "the listed URI as a DNS name": { rawSan: rawSan(dnsTag, listedUri) },
    "the listed URI in another case": { uris: [listedUri.toUpperCase()] },
    "a longer URI that begins with the listed one": { uris: [`${listedUri}-admin`] },
    "a NUL after the listed name": { rawSan: rawSan(dnsTag, `${listedDns}\0.evil.example`) },
    "a NUL at the end of the listed name": { rawSan: rawSan(dnsTag, `${listedDns}\0`) },
    "a text that looks like a list of names": { rawSan: rawSan(dnsTag, `evil.example, DNS:${listedDns}`) },
    "a space after the listed name": { rawSan: rawSan(dnsTag, `${listedDns} `) },
  };
  const identities = new Map<string, Identity>();
  for (const [claim, options] of Object.entries(names)) {
    identities.set(claim, await clientOfAuthority(authority, options));
  }
  return identities;
}

/** Impostors with the listed names, whom the right authority does not vouch for, or not now, or not as clients. */
export async function unvouchedClients(authority: Authority): Promise<ReadonlyMap<string, Identity>> {
  const named = { dnsNames: [listedDns], uris: [listedUri] };
  // The same name as the right one: only the keys differ.
  const impostor = await createAuthority({ commonName: "clients" });
  const expired = await authority.createIntermediate({
    commonName: "old team",
    notBefore: daysAgo(9),
    notAfter: daysAgo(1),
  });
  const team = await authority.createIntermediate({ commonName: "team" });
  const member = await clientOfAuthority(team, named);
  const honest = await clientOfAuthority(authority, named);
  return new Map([
    ["an authority that only has the same name", await clientOfAuthority(impostor, named)],
    [
      "a date that is over",
      await clientOfAuthority(authority, { ...named, notBefore: daysAgo(9), notAfter: daysAgo(1) }),
    ],
    ["a date that has not come", await clientOfAuthority(authority, { ...named, notBefore: daysAgo(-1) })],
    ["an intermediate authority that has expired", await clientOfAuthority(expired, named)],
    ["an intermediate authority that it does not send", { ...member, cert: firstCertificate(member.cert) }],
    ["the extended key usage of a server", await clientOfAuthority(authority, { ...named, client: false })],
    ["the rights of an authority, not of a client", { cert: team.chainPem, key: team.keyPem }],
    ["its own signature", await signWithOpenssl(null)],
    ["the signature of a client, who is no authority", await signWithOpenssl(honest)],
  ]);
}

function firstCertificate(chain: string): string {
  return `${chain.split("-----END CERTIFICATE-----")[0]}-----END CERTIFICATE-----\n`;
}

/** A certificate with the listed names as openssl makes it for anyone who asks: self-signed, or signed by whatever key is at hand. */
async function signWithOpenssl(signer: Identity | null): Promise<Identity> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-impostor-"));
  const path = (name: string): string => join(directory, name);
  const usage = [
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=clientAuth",
  ];
  const extensions = [`subjectAltName=DNS:${listedDns},URI:${listedUri}`, ...usage];
  try {
    const args = [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-subj",
      "/CN=client",
    ];
    for (const extension of extensions) args.push("-addext", extension);
    if (signer !== null) {
      await writeFile(path("signer.crt"), signer.cert);
      await writeFile(path("signer.key"), signer.key);
      args.push("-CA", path("signer.crt"), "-CAkey", path("signer.key"));
    }
    await run("openssl", [...args, "-keyout", path("key"), "-out", path("crt")]);
    const cert = await readFile(path("crt"), "utf8");
    return { cert: cert + (signer?.cert ?? ""), key: await readFile(path("key"), "utf8") };
  } finally {
    await rm(directory, { recursive: true });
  }
}
