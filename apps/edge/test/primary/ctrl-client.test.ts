import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { expect, it } from "vitest";
import { type CtrlEvents, CtrlClient } from "../../src/primary/ctrl-client.ts";
import { LocalTarget } from "../../src/primary/ctrl-target.ts";

const events: CtrlEvents = {
  hello: () => ({ type: "hello", protocol: 2, edgeId: "e", productVersion: "1", version: null }),
  onWelcome: () => {},
  onCommit: () => {},
  onRefused: () => {},
};

it("says nothing to whoever listens in a directory that is open to others, and connects once it is closed", async () => {
  const base = await mkdtemp(join(tmpdir(), "sluice-test-"));
  const ownDirectory = join(base, "socket");
  await mkdir(ownDirectory);
  await chmod(ownDirectory, 0o755);
  const path = join(ownDirectory, "ctrl.sock");
  const heard: string[] = [];
  let complain = (): void => {};
  const complained = new Promise<void>((resolve) => (complain = resolve));
  const server = createServer();
  const connected = new Promise<void>((resolve) => {
    server.on("connection", (socket) => {
      heard.push("connection");
      socket.destroy();
      resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const log = pino({ level: "warn" }, { write: (line: string) => heard.push(line) && complain() });
  const client = new CtrlClient([new LocalTarget({ path, ownDirectory })], events, log);
  client.start();
  await complained;
  expect(heard).toEqual([expect.stringContaining(`${ownDirectory} is open to other users`)]);
  await chmod(ownDirectory, 0o700);
  await connected;
  client.close();
  await new Promise((resolve) => server.close(resolve));
  await rm(base, { recursive: true });
});
