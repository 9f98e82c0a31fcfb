// What every contender stands in front of, on the load's core: nginx that answers from memory, and an echo of WebSocket messages.
import { chmod, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { World } from "./contender.ts";
import { freePorts, isListening } from "./ports.ts";
import { until } from "./processes.ts";
import { writePeerFile } from "./template.ts";

/** Starts both and returns their ports. */
export async function startBackends(
  world: Pick<World, "processes" | "machine" | "directory">,
): Promise<{ readonly backendPort: number; readonly echoPort: number }> {
  const [backendPort = 0, echoPort = 0] = await freePorts(2);
  const cores = world.machine.loadCore;
  const directory = await mkdtemp(join(world.directory, "backend-"));
  // Workers of an nginx that root starts are nobody, and read the answers there.
  await chmod(directory, 0o755);
  await writeFile(join(directory, "64k"), answerOf(2 ** 16));
  await writeFile(join(directory, "1m"), answerOf(2 ** 20));
  const values = { directory, openFiles: world.machine.openFiles, port: backendPort, echo: echoPort };
  const configuration = await writePeerFile(directory, "backend.conf", values);
  const nginx = world.processes.start("nginx", ["-c", configuration], { cores });
  const program = fileURLToPath(new URL("../peers/echo-backend.js", import.meta.url));
  const echo = world.processes.start(process.execPath, [program, String(echoPort)], { cores });
  await until(() => isListening(backendPort), nginx);
  await until(() => isListening(echoPort), echo);
  return { backendPort, echoPort };
}

/** Bytes that do not repeat in any way a proxy could get wrong unnoticed: a linear congruential generator (Numerical Recipes). */
function answerOf(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}
