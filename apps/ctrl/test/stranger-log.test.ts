import { pino } from "pino";
import { expect, it } from "vitest";
import { StrangerLog } from "../src/cli/stranger-log.ts";

it("a flood of refused connections is a line a minute and reason, with their number", () => {
  const lines: object[] = [];
  const log = new StrangerLog(pino({}, { write: (line: string) => lines.push(JSON.parse(line) as object) }));
  for (let index = 0; index < 100; index++) log.note(`10.0.0.1:${index}`, "ECONNRESET", 0);
  log.note("10.0.0.2:1", "CERT_HAS_EXPIRED", 1);
  log.note("10.0.0.1:100", "ECONNRESET", 60_000);
  for (let index = 0; index < 100; index++) log.note("10.0.0.1:1", `forged ${index}`, 0);
  expect(lines.slice(0, 3)).toMatchObject([
    { reason: "ECONNRESET", times: 1 },
    { reason: "CERT_HAS_EXPIRED", times: 1 },
    { reason: "ECONNRESET", times: 100 },
  ]);
  expect(lines.length).toBeLessThanOrEqual(3 + 31);
});
