import { defineConfig } from "vitest/config";

const report = process.env["SLUICE_TEST_REPORT"];
/** Gateways under load, or several machines of them, that have to be in time. */
const underLoad = [
  "test/stories/reload.test.ts",
  "test/faults/{ctrl-killed,ctrl-killed-writing,several-machines,tier,worker-killed}.test.ts",
];

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Stories run whole gateways on a shared machine: where CI sees one fail it asks once more before it believes it. By hand, never.
    retry: process.env["CI"] === undefined ? 0 : 1,
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    projects: [
      {
        extends: true,
        test: {
          name: "main",
          include: [
            "packages/*/test/**/*.test.ts",
            "apps/*/test/**/*.test.ts",
            "bench/test/**/*.test.ts",
            "test/**/*.test.ts",
          ],
          exclude: underLoad,
          // Story tests start whole gateways; two at a time is what two cores carry.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          // One at a time, when everything else is done.
          name: "under load",
          include: underLoad,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
