// Port numbers: one that nothing listens on, for settings that must stay the same when a program is started again, and one that is taken.
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

export interface HeldPort extends AsyncDisposable {
  readonly port: number;
}

/** Listens as any other process would: the port is taken until this is disposed. */
export async function holdPort(host = "127.0.0.1", wanted = 0): Promise<HeldPort> {
  const server = createServer();
  server.listen({ host, port: wanted, exclusive: true });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
}

export async function freePort(host?: string): Promise<number> {
  const held = await holdPort(host);
  await held[Symbol.asyncDispose]();
  return held.port;
}
