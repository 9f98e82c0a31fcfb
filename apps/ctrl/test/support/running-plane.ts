// A control plane in this process, on free ports, with its own directory.
import { mkdir, rename, writeFile } from "node:fs/promises";
import { defaultSettings, resolveSettings, type Settings } from "@sluice/core/settings";
import { pino } from "pino";
import { ControlPlane } from "../../src/cli/control-plane.ts";
import { temporaryDirectory, type TemporaryDirectory } from "./temporary-directory.ts";

interface Bound {
  readonly url: string;
  readonly socketPath: string;
  readonly warnings: string[];
  readonly errors: string[];
}

export class RunningPlane implements AsyncDisposable {
  readonly directory: TemporaryDirectory;
  url: string;
  readonly socketPath: string;
  /** Messages of the log at level warn. */
  readonly warnings: string[];
  /** The same at level error, with what they give as reason. */
  readonly errors: string[];
  readonly #begin: () => ControlPlane;
  #plane: ControlPlane;

  private constructor(directory: TemporaryDirectory, begin: () => ControlPlane, plane: ControlPlane, bound: Bound) {
    this.directory = directory;
    this.#begin = begin;
    this.#plane = plane;
    this.url = bound.url;
    this.socketPath = bound.socketPath;
    this.warnings = bound.warnings;
    this.errors = bound.errors;
  }

  /**
   * @param files of the configuration directory, by name
   * @param ctrl merged into the settings of that name
   * @param node the same
   */
  static async start(
    files: Readonly<Record<string, string>>,
    ctrl: (directory: TemporaryDirectory) => Partial<Settings["ctrl"]> = () => ({}),
    node: Partial<Settings["node"]> = {},
  ): Promise<RunningPlane> {
    const directory = await temporaryDirectory();
    await mkdir(directory.at("config"));
    for (const [name, text] of Object.entries(files)) await writeFile(directory.at("config", name), text);
    const settings = resolveSettings(defaultSettings(), directory.path);
    const loaded = {
      settings: {
        ...settings,
        node: { ...settings.node, ...node },
        ctrl: { ...settings.ctrl, address: "127.0.0.1:0", ...ctrl(directory) },
      },
      file: null,
      baseDirectory: directory.path,
    };
    const [warnings, errors]: [string[], string[]] = [[], []];
    const write = (line: string) => {
      const { level, msg, reason = "" } = JSON.parse(line) as { level: number; msg: string; reason?: string };
      if (level === pino.levels.values["warn"]) warnings.push(msg);
      if (level === pino.levels.values["error"]) errors.push(`${msg}: ${reason}`);
    };
    const begin = () => new ControlPlane(loaded, pino({ level: "warn" }, { write }));
    const plane = begin();
    return new RunningPlane(directory, begin, plane, { ...(await plane.start()), warnings, errors });
  }

  /** Another control plane in its place, on what it left. */
  async restart(): Promise<void> {
    await this.#plane.stop({ afterEdges: false });
    this.#plane = this.#begin();
    this.url = (await this.#plane.start()).url;
  }

  /** Replaces a configuration file as a careful editor does. */
  async save(name: string, text: string): Promise<void> {
    await writeFile(this.directory.at("config", `${name}.tmp`), text);
    await rename(this.directory.at("config", `${name}.tmp`), this.directory.at("config", name));
  }

  async get(path: string): Promise<{ status: number; type: string | null; body: unknown }> {
    return await this.fetch(path, {});
  }

  async post(path: string, body: unknown): Promise<{ status: number; type: string | null; body: unknown }> {
    const headers = { "content-type": "application/json" };
    return await this.fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  }

  async fetch(path: string, init: RequestInit): Promise<{ status: number; type: string | null; body: unknown }> {
    const response = await fetch(`${this.url}${path}`, init);
    return { status: response.status, type: response.headers.get("content-type"), body: await response.json() };
  }

  /** Asks until the answer is as wanted: for what no event tells. */
  async until<Body>(path: string, isWanted: (body: Body) => boolean): Promise<Body> {
    for (;;) {
      const { body } = await this.get(path);
      if (isWanted(body as Body)) return body as Body;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#plane.stop({ afterEdges: false });
    await this.directory[Symbol.asyncDispose]();
  }
}
