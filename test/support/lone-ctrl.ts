// A control plane alone, with nothing but what is pushed to it, that is started on the same directory and port again and again.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { ControlApi } from "./control-api.ts";
import { freePort } from "./free-port.ts";
import { Program } from "./gateway.ts";

export class LoneCtrl implements AsyncDisposable {
  readonly directory: string;
  readonly api: ControlApi;

  private constructor(directory: string, api: ControlApi) {
    this.directory = directory;
    this.api = api;
  }

  /** Writes its settings; nothing runs yet. */
  static async create(ctrlSettings: Readonly<Record<string, unknown>> = {}): Promise<LoneCtrl> {
    const directory = await mkdtemp(join(tmpdir(), "sluice-ctrl-"));
    const address = `127.0.0.1:${await freePort()}`;
    const settings = { config: { directory: "off" }, ctrl: { address, ...ctrlSettings } };
    await writeFile(join(directory, "sluice.yaml"), stringify(settings));
    return new LoneCtrl(directory, new ControlApi(`http://${address}`));
  }

  /** Starts it, and resolves when it takes pushes. Whoever starts it ends it. */
  async start(): Promise<Program> {
    const program = new Program(["ctrl", "--config", "sluice.yaml"], this.directory);
    await program.stderr.nextJson<{ msg: string }>(({ msg }) => msg === "version published");
    return program;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}
