// The ways in which tools write configuration, through the whole product: whatever they do, the edge ends up with what is in the files.
import { appendFile, mkdir, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, expect, test } from "vitest";
import { curl } from "../support/curl.ts";
import { gateway } from "../support/gateway.ts";
import { simpleSite, siteHost } from "../support/simple-site.ts";

const backend = await startHttpbin({ name: "app" });
afterAll(() => backend.close());

/** The site with one route, as one text. */
const siteWith = (prefix: string) => Object.values(simpleSite(backend.port, { prefixes: [prefix] })).join("---\n");

test("in-place writes, editors' renames and ..data swaps are all seen, each as one change", async () => {
  await using world = await gateway({ config: { "site.yaml": siteWith("/status") }, ports: [80] });
  const path = join(world.configDirectory, "site.yaml");
  const versions = new Set([world.ready.version]);
  const becomesLive = async (prefix: string, change: () => Promise<unknown>) => {
    const live = world.nextTable();
    await change();
    versions.add(await live);
    const { status } = await curl("-H", `host: ${siteHost}`, world.url(80, `${prefix}?show_env=1`));
    expect(status, prefix).toBe(200);
  };

  await becomesLive("/headers", () => writeFile(path, siteWith("/headers")));
  // vim: the old file is moved to a backup, the new one written under its name, the backup removed.
  await becomesLive("/get", async () => {
    await rename(path, `${path}~`);
    await writeFile(path, siteWith("/get"));
    await unlink(`${path}~`);
  });
  // Most others: a temporary file beside it, renamed over it.
  await becomesLive("/anything/renamed", async () => {
    await writeFile(`${path}.tmp`, siteWith("/anything/renamed"));
    await rename(`${path}.tmp`, path);
  });
  // In pieces, as a slow copy does.
  await becomesLive("/anything/pieces", async () => {
    const text = siteWith("/anything/pieces");
    await writeFile(path, text.slice(0, 100));
    await appendFile(path, text.slice(100));
  });
  // Kubernetes mounts a ConfigMap as links through `..data`, which is exchanged by one rename.
  const mount = join(world.configDirectory, "mounted");
  const swap = async (generation: string, text: string) => {
    await mkdir(join(mount, generation));
    await writeFile(join(mount, generation, "site.yaml"), text);
    await symlink(generation, join(mount, "..data_tmp"));
    await rename(join(mount, "..data_tmp"), join(mount, "..data"));
  };
  await becomesLive("/anything/mounted", async () => {
    await mkdir(mount);
    await swap("..2026_1", siteWith("/anything/mounted"));
    await symlink("..data/site.yaml", join(mount, "site.yaml"));
    await unlink(path);
  });
  await becomesLive("/anything/swapped", async () => {
    await swap("..2026_2", siteWith("/anything/swapped"));
    await rm(join(mount, "..2026_1"), { recursive: true });
  });
  expect(versions.size).toBe(7);
  const { version, lastAttempt } = await world.status();
  expect([version, lastAttempt?.ok]).toEqual([[...versions].at(-1), true]);
});
