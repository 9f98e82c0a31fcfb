// `pnpm start`: makes the demo's certificates, starts its three backends and the gateway, and prints what to try.
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { startHttpbin } from "@sluice/httpbin";
import { writeDemoCertificates } from "./certificates.ts";
import { describeDemo } from "./try-it.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const certificates = `${root}config/demo/certs`;
/** As in config/demo/resources/backends.yaml. */
const backends = { httpbin: 18_000, "httpbin-a": 18_001, "httpbin-b": 18_002 };

async function startBackends(): Promise<void> {
  for (const [name, port] of Object.entries(backends)) {
    try {
      await startHttpbin({ name, port });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`backend ${name} cannot listen on 127.0.0.1:${port} (${reason}); is another demo running?`, {
        cause: error,
      });
    }
  }
}

function startGateway(): ChildProcess {
  const command = [
    `${root}node_modules/@sluice/ctrl/bin/sluice.js`,
    "up",
    "--config",
    `${root}config/demo/sluice.yaml`,
  ];
  return spawn(process.execPath, command, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
}

/** Passes the gateway's output on, and explains the demo once it is ready. */
function followOutput(gateway: ChildProcess): void {
  let isReady = false;
  gateway.stdout?.on("data", (chunk: Buffer) => {
    process.stdout.write(chunk);
    if (isReady || !chunk.includes('"event":"ready"')) return;
    isReady = true;
    process.stdout.write(describeDemo());
  });
}

async function run(): Promise<void> {
  await writeDemoCertificates(certificates);
  await startBackends();
  const gateway = startGateway();
  followOutput(gateway);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => gateway.kill("SIGTERM"));
  gateway.on("exit", (code) => process.exit(code ?? 1));
}

await run().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
