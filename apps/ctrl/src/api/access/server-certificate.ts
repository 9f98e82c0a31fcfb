// The API's own certificate: read at start, and again when its files change. A pair that cannot be used leaves the old one in place.
import { readFile } from "node:fs/promises";
import type { Server } from "node:https";
import { createSecureContext } from "node:tls";
import type { Settings } from "@sluice/core/settings";
import { signatureOf } from "../../source/signature.ts";

type TlsSettings = NonNullable<Settings["ctrl"]["tls"]>;

const pollMs = 5_000;

export interface ServerCredentials {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer | undefined;
}

/** @throws Error that names the file and what is wrong */
export async function readServerCredentials(tls: TlsSettings): Promise<ServerCredentials> {
  const [cert, key, ca] = await Promise.all([
    read("certificate", tls.certificate),
    read("privateKey", tls.privateKey),
    tls.clientCa === undefined ? undefined : read("clientCa", tls.clientCa),
  ]);
  try {
    createSecureContext({ cert, key, ca });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`ctrl.tls: ${tls.certificate} and ${tls.privateKey} cannot be used: ${reason}`, { cause: error });
  }
  return { cert, key, ca };
}

/** Follows the files. @returns what ends it */
export function followServerCredentials(
  server: Server,
  tls: TlsSettings,
  onProblem: (message: string) => void,
): () => void {
  let known: string | null = null;
  const look = async (): Promise<void> => {
    const now = (await Promise.all(pathsOf(tls).map(signatureOf))).join("\n");
    const hasChanged = known !== null && known !== now;
    known = now;
    if (hasChanged) server.setSecureContext(await readServerCredentials(tls));
  };
  const lookOrSay = () => void look().catch((error: unknown) => onProblem(String(error)));
  lookOrSay();
  const timer = setInterval(lookOrSay, pollMs);
  return () => clearInterval(timer);
}

function pathsOf({ certificate, privateKey, clientCa }: TlsSettings): string[] {
  return [certificate, privateKey, ...(clientCa === undefined ? [] : [clientCa])];
}

async function read(setting: string, path: string): Promise<Buffer> {
  return await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`ctrl.tls.${setting}: ${path} cannot be read: ${error.code ?? error.message}`);
  });
}
