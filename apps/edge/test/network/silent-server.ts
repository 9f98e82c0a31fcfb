// A port on which connections hang before they are accepted: a stopped process whose backlog is full (Linux drops the SYN then).
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const listen = `
const server = require("node:net").createServer();
server.listen({ host: "127.0.0.1", port: 0, backlog: 1 }, () => process.stdout.write(String(server.address().port)));
`;

export interface SilentServer extends AsyncDisposable {
  readonly port: number;
}

export async function startSilentServer(): Promise<SilentServer> {
  const child = spawn(process.execPath, ["-e", listen], { stdio: ["ignore", "pipe", "inherit"] });
  const [text] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(text);
  child.kill("SIGSTOP");
  const fillers: Socket[] = [];
  // The kernel holds one more than the backlog.
  for (let i = 0; i < 2; i++) {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    fillers.push(socket);
    await once(socket, "connect");
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of fillers) socket.destroy();
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}
