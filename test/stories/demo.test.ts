// `pnpm start` as README has it: every command it prints is run as printed, and shows what it says. And, because they need the same
// fixed ports, the defaults of `sluice up`.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { trials } from "@sluice/demo/try-it";
import { afterAll, beforeAll, expect, test } from "vitest";
import { documents, gatewayResource, httpServer } from "../support/config.ts";
import { curl } from "../support/curl.ts";
import { Program, type ReadyLine, readyLine, root } from "../support/gateway.ts";
import { LineReader } from "../support/lines.ts";
import { processTree } from "../support/process-tree.ts";
import { isAlive } from "../support/processes.ts";

/** Fixed, because people paste the commands. No other story uses them. */
const ports = [6280, 8080, 8443, 15_000, 15_010, 18_000, 18_001, 18_002];

/** Says which port is taken before anything fails in a way that does not. */
async function requireFreePorts(): Promise<void> {
  for (const port of ports) {
    const server = createServer().listen({ port, host: "127.0.0.1", exclusive: true });
    await Promise.race([
      once(server, "listening"),
      once(server, "error").then(() => {
        throw new Error(`the demo needs 127.0.0.1:${port}, and another process has it: is a demo running?`);
      }),
    ]);
    server.close();
    await once(server, "close");
  }
}

/** Runs a command in a shell at the project's root, as somebody who pasted it. */
function paste(command: string): Promise<string> {
  return new Promise((resolve) => {
    execFile("sh", ["-c", command], { cwd: root, timeout: 30_000 }, (_error, stdout) => resolve(stdout));
  });
}

function startDemo(): ChildProcess {
  const script = join(root, "packages/demo/dist/start.js");
  return spawn(process.execPath, [script], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
}

let demo: ChildProcess;
let output: LineReader;
let errors: LineReader;
let exited: Promise<unknown[]>;

beforeAll(async () => {
  await requireFreePorts();
  demo = startDemo();
  exited = once(demo, "exit");
  output = new LineReader(demo.stdout);
  errors = new LineReader(demo.stderr);
  const isReady = output.nextJson<ReadyLine>(({ event }) => event === "ready");
  const isExplained = output.next((line) => line.includes("Ctrl-C ends it"));
  await Promise.all([isReady, isExplained]);
});

afterAll(async () => {
  if (demo.exitCode === null && demo.signalCode === null) demo.kill("SIGKILL");
  await exited;
});

test("the screen shows every command", () => {
  expect(output.text).toContain("five topologies");
  for (const { title, command } of trials) expect(output.text).toContain(`# ${title}\n${command}\n`);
});

test.each(trials)("$title", async ({ command, shows }) => {
  expect(await paste(command)).toContain(shows);
});

test("the redirect of topology 2 is seen on the way to the teapot", async () => {
  const [, redirect] = trials;
  const shown = await paste(redirect?.command ?? "");
  expect(shown).toMatch(/^HTTP\/1\.1 301 /);
  expect(shown).toContain("location: https://httpbin.istio.local:8443/status/418");
  expect(shown).toMatch(/HTTP\/(2|1\.1) 418/);
});

test("a second demo says why it cannot start, and leaves the first alone", async () => {
  const second = startDemo();
  const complaints = new LineReader(second.stderr);
  expect(await once(second, "exit")).toEqual([1, null]);
  expect(complaints.text).toContain("is another demo running?");
  // Also over TLS: it has not made the certificates anew.
  for (const trial of trials.slice(0, 3)) expect(await paste(trial.command)).toContain(trial.shows);
});

test("SIGTERM ends it with all it started", async () => {
  const processes = await processTree(demo.pid ?? 0);
  // Itself, up, ctrl, edge and at least one worker.
  expect(processes.length).toBeGreaterThanOrEqual(5);
  demo.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
  expect(processes.filter(isAlive)).toEqual([]);
  expect(errors.text).not.toMatch(/"level":(50|60)/);
  await requireFreePorts();
});

test("without sluice.yaml every default of the contract holds", async () => {
  const directory = await mkdtemp(join(tmpdir(), "sluice-defaults-"));
  await mkdir(join(directory, "config"));
  const site = [gatewayResource("web", [httpServer(["*"], { port: 8080 })])];
  await writeFile(join(directory, "config/site.yaml"), documents(...site));
  const up = new Program(["up"], directory);
  try {
    expect(await readyLine(up)).toMatchObject({
      workers: availableParallelism(),
      listeners: [{ name: "0.0.0.0_8080", address: "0.0.0.0", port: 8080, boundPort: 8080 }],
      admin: "http://127.0.0.1:15000",
      ctrl: "http://127.0.0.1:15010",
    });
    // On every address of the machine, as bind 0.0.0.0 says; the access log is text on standard output.
    const line = up.stdout.next((text) => text.startsWith("["));
    expect((await curl("http://127.0.0.2:8080/")).status).toBe(404);
    expect(await line).toContain('"GET / HTTP/1.1" 404 NR ');
    const status = (await (await fetch("http://127.0.0.1:15010/v1/status")).json()) as { edges: { id: string }[] };
    expect(status.edges.map(({ id }) => id)).toEqual(["edge-1"]);
  } finally {
    expect(await up.stop()).toBe(0);
    await rm(directory, { recursive: true });
  }
});
