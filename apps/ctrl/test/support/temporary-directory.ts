// A directory that is gone when its test is over.
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
  /** A path inside. */
  at(...names: string[]): string;
}

export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "sluice-test-")));
  return {
    path,
    at: (...names) => join(path, ...names),
    [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }),
  };
}
