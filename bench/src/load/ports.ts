// Ports of the loopback address: free ones, who listens, who answers, how many are connected.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { ask } from "./ask.ts";
import { hostName, routePrefix, type Site } from "./contender.ts";

/** As many free ports, all different. Nobody else takes them in the moment before they are used, unless a machine is very busy. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Whether a request for the site's first host and last route is answered by the backend. */
export async function answers(port: number, site: Site): Promise<boolean> {
  const path = `${routePrefix(site, site.routes - 1)}small`;
  const answer = await ask({ port, door: "plain", host: hostName(0), path }).catch(() => null);
  return answer?.status === 200;
}

/** Established connections to a port of the loopback address, as the kernel has them (Linux). */
export async function countConnections(port: number): Promise<number> {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const established = "01";
  const lines = (await readFile("/proc/net/tcp", "utf8")).split("\n");
  return lines.filter((line) => {
    const [, address, , state] = line.trim().split(/ +/);
    return address === local && state === established;
  }).length;
}
