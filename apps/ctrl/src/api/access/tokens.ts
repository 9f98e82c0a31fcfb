// Bearer tokens. Only their digests are kept, and all of them are compared, each in constant time: neither how long it takes nor what memory
// holds tells anything about a token.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Settings } from "@sluice/core/settings";
import { missingSignature, signatureOf } from "../../source/signature.ts";
import type { Caller } from "./access.ts";

type TokenSettings = Settings["ctrl"]["tokens"][number];

/** A file that was changed is noticed by who shows a token that is not known, and at the latest after this time. */
const recheckAfterMs = 5_000;
const minTokenCharacters = 16;
const maxTokenBytes = 4096;

interface KnownToken {
  readonly settings: TokenSettings;
  digest: Buffer;
  signature: string;
}

export class Tokens {
  readonly #known: readonly KnownToken[];
  readonly #onProblem: (message: string) => void;
  #checkedAtMs = performance.now();

  private constructor(known: readonly KnownToken[], onProblem: (message: string) => void) {
    this.#known = known;
    this.#onProblem = onProblem;
  }

  /** @throws Error that names the setting, when a file cannot be used */
  static async load(tokens: readonly TokenSettings[], onProblem: (message: string) => void): Promise<Tokens> {
    return new Tokens(await Promise.all(tokens.map(loadToken)), onProblem);
  }

  /** Null when the token is none of them. */
  async identify(token: string): Promise<Caller | null> {
    const digest = digestOf(token);
    const isOld = performance.now() - this.#checkedAtMs > recheckAfterMs;
    if (isOld) await this.#reload();
    const found = this.#find(digest);
    if (found !== null || isOld) return found;
    await this.#reload();
    return this.#find(digest);
  }

  #find(digest: Buffer): Caller | null {
    let caller: Caller | null = null;
    for (const { settings, digest: known } of this.#known) {
      if (timingSafeEqual(known, digest)) caller = { name: settings.name, role: settings.role };
    }
    return caller;
  }

  /** A file that cannot be used keeps its former token, as a certificate does; one that was removed takes its token with it. */
  async #reload(): Promise<void> {
    this.#checkedAtMs = performance.now();
    for (const token of this.#known) {
      const { tokenFile } = token.settings;
      const signature = tokenFile === undefined ? token.signature : await signatureOf(tokenFile);
      if (signature === token.signature) continue;
      if (signature === missingSignature) {
        this.#revoke(token);
        continue;
      }
      try {
        const loaded = await loadToken(token.settings);
        token.digest = loaded.digest;
        token.signature = loaded.signature;
      } catch (error) {
        this.#onProblem(error instanceof Error ? error.message : String(error));
      }
    }
  }

  /** Until the file is there again. */
  #revoke(token: KnownToken): void {
    token.digest = randomBytes(token.digest.length);
    token.signature = missingSignature;
    this.#onProblem(
      `ctrl.tokens ${token.settings.name}: ${token.settings.tokenFile} is gone; its token is not taken any more`,
    );
  }
}

async function loadToken(settings: TokenSettings): Promise<KnownToken> {
  const { name, tokenFile, sha256 } = settings;
  if (sha256 !== undefined) return { settings, digest: Buffer.from(sha256, "hex"), signature: "" };
  const path = tokenFile ?? "";
  const signature = await signatureOf(path);
  const token = (
    await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      throw new Error(`ctrl.tokens ${name}: ${path} cannot be read: ${error.code ?? error.message}`);
    })
  ).trim();
  // What could be guessed protects nothing.
  if (token.length < minTokenCharacters || token.length > maxTokenBytes || !/^[\x21-\x7e]+$/.test(token)) {
    throw new Error(
      `ctrl.tokens ${name}: ${path} must hold one token of ${minTokenCharacters} or more printable characters`,
    );
  }
  return { settings, digest: digestOf(token), signature };
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
