// The place of the control socket in the file system. Whoever can open the socket receives private keys, so only the user who runs ctrl can.
import { chmod, lstat, unlink } from "node:fs/promises";
import { connect, type Server } from "node:net";

const privateSocketMode = 0o600;

/**
 * Listens on the path, in a directory that `prepareDirectories` has seen to. A socket file that a dead ctrl left is replaced.
 *
 * @throws Error when another ctrl is serving it, or something that is no socket has its name
 */
export async function listenOnSocketFile(server: Server, path: string): Promise<void> {
  if (await isServed(path)) throw new Error(`another ctrl is running: ${path} is in use`);
  await removeStale(path);
  const listening = new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", resolve);
  });
  // Others may pass through a state directory; between bind and chmod the socket would be open to them: so it is created closed.
  const umask = process.umask(0o177);
  server.listen(path);
  process.umask(umask);
  await listening;
  await chmod(path, privateSocketMode);
}

async function isServed(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function removeStale(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => null);
  if (stats === null) return;
  if (!stats.isSocket()) throw new Error(`${path} is no socket`);
  await unlink(path);
}
