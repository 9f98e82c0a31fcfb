// A disk without room for what is pushed: the push is refused, what was stored stays whole, and when there is room again pushes go on.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { runSluice } from "../support/command.ts";
import { LoneCtrl } from "../support/lone-ctrl.ts";

const run = promisify(execFile);

function configMap(name: string, kibibytes: number) {
  const data = { ballast: "x".repeat(kibibytes * 1024) };
  return JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });
}

// The limit on the size of files stands in for the end of the disk: the write comes back short, then not at all.
test.runIf(process.platform === "linux")(
  "a push that does not fit on the disk is refused, and nothing stored is harmed",
  async () => {
    await using world = await LoneCtrl.create();
    const { api } = world;
    const ctrl = await world.start();
    try {
      const limit = async (bytes: string) => await run("prlimit", ["--pid", String(ctrl.pid), `--fsize=${bytes}:`]);
      await limit(String(100 * 1024));
      expect((await api.apply(configMap("fits", 60))).status).toBe(200);
      const refused = await api.apply(configMap("too-large", 60));
      expect([refused.status, refused.body.failure]).toEqual([503, "unavailable"]);
      expect(refused.body.detail).toMatch(/store\/log cannot be written: EFBIG/);
      expect((await api.apply(configMap("small", 1))).body.number).toBe(2);
      await limit("unlimited");
      expect((await api.apply(configMap("too-large", 60))).body.number).toBe(3);
    } finally {
      await ctrl.stop();
    }
    const again = await world.start();
    try {
      const { body } = await api.ask<{ resources: { name: string }[] }>("/v1/resources");
      expect(body.resources.map(({ name }) => name)).toEqual(["fits", "small", "too-large"]);
      // And it is nobody else's meanwhile.
      const { code, stderr } = await runSluice(["ctrl", "--config", "sluice.yaml"], { cwd: world.directory });
      expect([code, stderr]).toEqual([
        1,
        expect.stringContaining(`another ctrl is running: process ${again.pid} uses the store`),
      ]);
    } finally {
      expect(await again.stop()).toBe(0);
    }
  },
);
