// The programs that every run needs, and the Debian packages they come in. Nothing is installed by the bench.
import { isInstalled } from "./processes.ts";

const packages: Readonly<Record<string, string>> = {
  taskset: "util-linux",
  setpriv: "util-linux",
  nginx: "nginx-light",
  wrk: "wrk",
  h2load: "nghttp2-client",
};

/** Throws with what to install when something is missing. */
export function assertPrograms(): void {
  if (process.platform !== "linux") throw new Error("the bench reads /proc and pins processes: it needs Linux");
  const missing = Object.keys(packages).filter((program) => !isInstalled(program));
  if (missing.length === 0) return;
  const names = new Set(missing.map((program) => packages[program] ?? program));
  throw new Error(`${missing.join(", ")} missing. Debian: apt-get install ${[...names].join(" ")}`);
}
