// A port where connecting never ends: its process is stopped and the kernel's queue for it is full, so that further SYNs are dropped.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { LineReader } from "./lines.ts";

const program = `
const server = require("node:net").createServer();
server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log(server.address().port));
`;
/** More than fit into the queue; the last ones never connect. */
const fillers = 8;

export class BlackHole implements AsyncDisposable {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #sockets: readonly Socket[];

  private constructor(port: number, process: ChildProcess, sockets: readonly Socket[]) {
    this.port = port;
    this.#process = process;
    this.#sockets = sockets;
  }

  static async open(): Promise<BlackHole> {
    const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
    const port = Number(await new LineReader(child.stdout).next((line) => /^\d+$/.test(line)));
    child.kill("SIGSTOP");
    const sockets = Array.from({ length: fillers }, () => connect(port, "127.0.0.1").on("error", () => {}));
    await once(sockets[0] as Socket, "connect");
    return new BlackHole(port, child, sockets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }
}
