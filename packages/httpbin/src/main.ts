// The command: starts one backend, prints one line of JSON when it is ready, and ends on SIGTERM or SIGINT.
import { parseArgs } from "node:util";
import { startHttpbin } from "./server.ts";

const usage = `Usage: sluice-httpbin [--host 127.0.0.1] [--port 8000] [--name httpbin]

  --host  the address to listen on
  --port  the port to listen on; 0 takes a free one
  --name  how this backend calls itself in the answers of /anything
  --help  this text
`;

function readArguments() {
  return parseArgs({
    options: {
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: "8000" },
      name: { type: "string", default: "httpbin" },
      help: { type: "boolean", default: false },
    },
  }).values;
}

function fail(message: string, exitCode: number): never {
  process.stderr.write(`sluice-httpbin: ${message}\n`);
  process.exit(exitCode);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function main(): Promise<void> {
  let values;
  try {
    values = readArguments();
  } catch (error) {
    fail(`${messageOf(error)}\n\n${usage}`, 2);
  }
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const port = Number(values.port);
  if (!/^\d{1,5}$/.test(values.port) || port > 65_535) fail(`--port ${values.port} is not a port from 0 to 65535`, 2);
  const { host, name } = values;
  const httpbin = await startHttpbin({ host, port, name }).catch((error: unknown) => fail(messageOf(error), 1));
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void httpbin.close());
  process.stdout.write(
    `${JSON.stringify({ event: "ready", name, url: httpbin.url, port: httpbin.port, pid: process.pid })}\n`,
  );
}

await main();
