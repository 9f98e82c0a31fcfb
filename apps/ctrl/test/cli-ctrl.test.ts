import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { brokenGateway, plainGateway } from "./support/configurations.ts";
import { FakeEdge } from "./support/fake-edge.ts";
import { runSluice, startSluice } from "./support/run-sluice.ts";
import { temporaryDirectory, type TemporaryDirectory } from "./support/temporary-directory.ts";

const program = fileURLToPath(new URL("../bin/sluice.js", import.meta.url));

type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** A ctrl process, and its log as it comes. */
class Ctrl implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly lines: LogLine[] = [];
  readonly exited: Promise<[number | null, string | null]>;
  #onLine: (() => void) | null = null;

  constructor(child: ChildProcess) {
    this.child = child;
    this.exited = once(child, "exit") as Promise<[number | null, string | null]>;
    child.stdout?.resume();
    if (child.stderr === null) throw new Error("no pipe");
    createInterface(child.stderr).on("line", (line) => {
      this.lines.push(line.startsWith("{") ? (JSON.parse(line) as LogLine) : { msg: line });
      this.#onLine?.();
    });
  }

  /** The first line, past or to come, that satisfies the predicate. */
  async line(isWanted: (line: LogLine) => boolean): Promise<LogLine> {
    for (;;) {
      const found = this.lines.find(isWanted);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (this.#onLine = resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill("SIGKILL");
    await this.exited;
  }
}

async function world(text: string): Promise<TemporaryDirectory> {
  const directory = await temporaryDirectory();
  await mkdir(directory.at("config"));
  await writeFile(directory.at("config/a.yaml"), text);
  await writeFile(directory.at("sluice.yaml"), "ctrl: { address: 127.0.0.1:0 }\n");
  return directory;
}

describe("sluice ctrl", () => {
  it("serves pc and explain of a running configuration, with --ctrl or SLUICE_CTRL", async () => {
    await using directory = await world(plainGateway(8080));
    await using ctrl = new Ctrl(startSluice(["ctrl"], { cwd: directory.path }));
    const url = String((await ctrl.line(({ msg }) => msg === "control plane is up"))["url"]);
    await ctrl.line(({ msg }) => msg === "version published");
    await using elsewhere = await temporaryDirectory();
    const { path: cwd } = elsewhere;
    const offline = await runSluice(["pc", "route", "-f", directory.at("config"), "-o", "json"], { cwd });
    const online = await runSluice(["pc", "route", "--ctrl", url, "-o", "json"], { cwd });
    expect(online).toEqual(offline);
    const named = await runSluice(["pc", "route", "none", "-o", "json"], { cwd, env: { SLUICE_CTRL: url } });
    expect(named.stdout).toBe("[]\n");
    const question = ["--port", "8080", "--host", "shop.example", "-o", "json"];
    const answer = await runSluice(["explain", ...question], { cwd, env: { SLUICE_CTRL: url } });
    expect(answer.stdout).toBe(
      (await runSluice(["explain", "-f", directory.at("config"), ...question], { cwd })).stdout,
    );
  });

  it("logs each finding with its place, and pc --ctrl shows it", async () => {
    await using directory = await world(brokenGateway);
    await using ctrl = new Ctrl(startSluice(["ctrl"], { cwd: directory.path }));
    const line = await ctrl.line(({ code }) => code === "unknown-field");
    const place = { file: directory.at("config/a.yaml"), line: 5, column: 3, path: "spec.selektor" };
    expect(line).toMatchObject({ level: 50, ...place, resource: "Gateway default/shop" });
    const url = String((await ctrl.line(({ msg }) => msg === "control plane is up"))["url"]);
    const { code, stderr } = await runSluice(["pc", "route", "--ctrl", url], { cwd: directory.path });
    expect(code).toBe(1);
    expect(stderr).toContain("a.yaml:5:3 error unknown-field");
  });

  it("ends with 0 at SIGTERM, edges or not", async () => {
    await using directory = await world(plainGateway(8080));
    await using ctrl = new Ctrl(startSluice(["ctrl"], { cwd: directory.path }));
    const { socketPath } = (await ctrl.line(({ msg }) => msg === "control plane is up")) as unknown as {
      socketPath: string;
    };
    using edge = await FakeEdge.greet(socketPath, "edge-1");
    ctrl.child.kill("SIGTERM");
    await edge.closed;
    expect(await ctrl.exited).toEqual([0, null]);
  });

  it("waits for its edges under a supervisor, whatever that supervisor's end is", async () => {
    for (const isKilled of [false, true]) {
      await using directory = await world(plainGateway(8080));
      const child = fork(program, ["ctrl"], { cwd: directory.path, stdio: ["ignore", "pipe", "pipe", "ipc"] });
      const ready = once(child, "message");
      await using ctrl = new Ctrl(child);
      const [message] = (await ready) as [unknown];
      expect(message).toEqual({ event: "ready" });
      const up = await ctrl.line(({ msg }) => msg === "control plane is up");
      const { socketPath, url } = up as unknown as { socketPath: string; url: string };
      using edge = await FakeEdge.greet(socketPath, "edge-1");
      await edge.accept();
      if (isKilled) child.disconnect();
      else child.kill("SIGTERM");
      await ctrl.line(({ msg }) => msg === "ending");
      const status = (await (await fetch(`${url}/v1/status`)).json()) as { edges: unknown[] };
      expect(status.edges).toHaveLength(1);
      edge.socket.end();
      expect(await ctrl.exited).toEqual([0, null]);
    }
  });

  it("exits 1 when another ctrl has its socket", async () => {
    await using directory = await world(plainGateway(8080));
    await using ctrl = new Ctrl(startSluice(["ctrl"], { cwd: directory.path }));
    await ctrl.line(({ msg }) => msg === "control plane is up");
    const second = await runSluice(["ctrl"], { cwd: directory.path });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain("another ctrl is running");
    expect(ctrl.child.exitCode).toBeNull();
  });

  it("reads the settings that --config or SLUICE_CONFIG names, with paths relative to the file", async () => {
    await using directory = await world(plainGateway(8080));
    await using elsewhere = await temporaryDirectory();
    const cwd = elsewhere.path;
    const file = directory.at("sluice.yaml");
    for (const start of [
      () => startSluice(["ctrl", "--config", file], { cwd }),
      () => startSluice(["ctrl"], { cwd, env: { SLUICE_CONFIG: file } }),
    ]) {
      await using ctrl = new Ctrl(start());
      const line = await ctrl.line(({ msg }) => msg === "control plane is up");
      expect(line).toMatchObject({ directory: directory.at("config"), socketPath: directory.at(".sluice/ctrl.sock") });
      await ctrl.line(({ msg }) => msg === "version published");
    }
  });
});

describe("wrong settings", () => {
  it.each([
    ["ctrl", "ctrl: { adress: 127.0.0.1:0 }\n", "sluice.yaml:1:"],
    ["up", "edge: { workers: none }\n", "sluice.yaml:1:"],
    ["up", "ctrl: { address: 0.0.0.0:0 }\n", "loopback"],
    ["ctrl", "a: [\n", "yaml-syntax"],
  ])("end %s with 2 and a reason", async (command, text, message) => {
    await using directory = await temporaryDirectory();
    await writeFile(directory.at("sluice.yaml"), text);
    const { code, stdout, stderr } = await runSluice([command], { cwd: directory.path });
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it("end with 2 when the file that was named is not there", async () => {
    await using directory = await temporaryDirectory();
    const { code, stderr } = await runSluice(["up", "--config", "none.yaml"], { cwd: directory.path });
    expect(stderr).toContain("none.yaml cannot be read");
    expect(code).toBe(2);
  });
});
