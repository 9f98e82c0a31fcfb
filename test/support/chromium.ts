// Headless Chromium, driven over its debugging pipe (the Chrome DevTools Protocol): pages that run scripts and say what came of them. A
// machine without it says so out loud, and the stories that need it are skipped.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

export const hasChromium = spawnSync("chromium", ["--version"], { stdio: "ignore" }).status === 0;
if (!hasChromium) console.warn("chromium IS NOT INSTALLED: what a browser would show is missing from this run");

/** The protocol's answer to one command, as far as it is read here. */
interface Reply {
  readonly id?: number;
  readonly error?: { readonly message: string };
  readonly result?: {
    readonly targetId?: string;
    readonly sessionId?: string;
    readonly errorText?: string;
    readonly result?: { readonly value?: unknown };
    readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description?: string } };
  };
}

type Result = NonNullable<Reply["result"]>;

export interface ChromiumOptions {
  /** PEM. Whatever is wrong with a certificate of this key is overlooked. */
  readonly trusted: string;
}

const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  "--remote-debugging-pipe",
  // Every name is this machine.
  "--host-resolver-rules=MAP * 127.0.0.1",
];

export class Chromium implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #commands: Writable;
  readonly #gone: Promise<Reply>;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #lastId = 0;
  #unread = "";

  private constructor(process: ChildProcess, profile: string) {
    this.#process = process;
    this.#profile = profile;
    this.#commands = process.stdio[3] as Writable;
    const replies = process.stdio[4] as Readable;
    replies.setEncoding("utf8").on("data", (text: string) => this.#read(text));
    this.#commands.on("error", () => undefined);
    this.#gone = once(process, "exit").then(() => ({ error: { message: "chromium is gone" } }));
  }

  static async start({ trusted }: ChromiumOptions): Promise<Chromium> {
    const profile = await mkdtemp(join(tmpdir(), "sluice-story-chromium-"));
    const key = new X509Certificate(trusted).publicKey.export({ type: "spki", format: "der" });
    const overlooked = createHash("sha256").update(key).digest("base64");
    const args = [...flags, `--user-data-dir=${profile}`, `--ignore-certificate-errors-spki-list=${overlooked}`];
    const stdio = ["ignore", "ignore", "ignore", "pipe", "pipe"] as const;
    return new Chromium(spawn("chromium", [...args, "about:blank"], { stdio: [...stdio] }), profile);
  }

  /** A tab at this address, loaded. */
  async open(url: string): Promise<Page> {
    const { targetId = "" } = await this.command("Target.createTarget", { url: "about:blank" });
    const { sessionId = "" } = await this.command("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId);
    await page.go(url);
    return page;
  }

  /** @internal Rejects when the browser does, or is gone. */
  async command(method: string, params: object, sessionId?: string): Promise<Result> {
    const id = ++this.#lastId;
    const replied = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve));
    this.#commands.write(
      `${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`,
    );
    const { error, result } = await Promise.race([replied, this.#gone]);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  #read(text: string): void {
    const messages = (this.#unread + text).split("\0");
    this.#unread = messages.pop() ?? "";
    for (const message of messages) {
      const reply = JSON.parse(message) as Reply;
      // What has no number is an event; none is asked for.
      if (reply.id === undefined) continue;
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#gone;
    // Its helpers may still be writing.
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

const isLoaded = `new Promise((resolve) => document.readyState === "complete" ? resolve() : addEventListener("load", () => resolve()))`;

export class Page {
  readonly #browser: Chromium;
  readonly #session: string;

  constructor(browser: Chromium, session: string) {
    this.#browser = browser;
    this.#session = session;
  }

  /** Resolves when the document begins to come; what was under way is given up. */
  async begin(url: string): Promise<void> {
    const { errorText } = await this.#browser.command("Page.navigate", { url }, this.#session);
    if (errorText !== undefined) throw new Error(`${url}: ${errorText}`);
  }

  /** Resolves when everything that the document names has come. */
  async go(url: string): Promise<void> {
    await this.begin(url);
    await this.run(isLoaded);
  }

  /** What the expression comes to in the page, promises awaited; rejects with what it throws. */
  async run(expression: string): Promise<unknown> {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const { exceptionDetails, result } = await this.#browser.command("Runtime.evaluate", params, this.#session);
    if (exceptionDetails === undefined) return result?.value;
    throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  }
}
