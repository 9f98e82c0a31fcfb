// A client that asks for the same thing again and again on one connection, one request at a time: what a worker does for it is the same every time,
// so that what it allocates can be counted. Both versions of HTTP send the fields that a browser's script sends.
import { once } from "node:events";
import { connect as connectHttp2, type OutgoingHttpHeaders } from "node:http2";
import { connect } from "node:net";

export interface SequentialClient extends Disposable {
  /** Resolves when so many requests have been answered; rejects at the first answer that is not 200. */
  run(count: number): Promise<void>;
}

export const target = "/api/items/17?page=2";
const fields = {
  "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
  Accept: "application/json",
  "Accept-Language": "en-US,en;q=0.5",
  "Accept-Encoding": "gzip, deflate, br",
  Referer: "https://app.example/cart",
  Cookie: "session=2c1b0a8d6f; theme=dark",
  "X-Requested-With": "XMLHttpRequest",
};

/** Answers are told apart by their body alone, so every one has to end with `bodyEnd`. */
export async function http1Client(port: number, host: string, bodyEnd: string): Promise<SequentialClient> {
  const lines = Object.entries({ Host: host, ...fields }).map(([name, value]) => `${name}: ${value}\r\n`);
  const request = Buffer.from(`GET ${target} HTTP/1.1\r\n${lines.join("")}\r\n`);
  const socket = connect(port, "127.0.0.1").setNoDelay();
  await once(socket, "connect");
  let answer = "";
  let left = 0;
  let settle: (error: Error | null) => void = () => {};
  socket.on("error", (error) => settle(error));
  socket.on("close", () => settle(new Error("the connection has ended")));
  socket.on("data", (chunk: Buffer) => {
    answer += chunk.toString("latin1");
    if (!answer.endsWith(bodyEnd)) return;
    if (!answer.startsWith("HTTP/1.1 200 ")) return settle(new Error(answer));
    answer = "";
    if (--left > 0) socket.write(request);
    else settle(null);
  });
  return {
    run: (count) =>
      new Promise((resolve, reject) => {
        left = count;
        settle = (error) => (error === null ? resolve() : reject(error));
        socket.write(request);
      }),
    [Symbol.dispose]: () => socket.destroy(),
  };
}

export function http2Client(port: number, host: string): SequentialClient {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const lowerCase = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]));
  const headers: OutgoingHttpHeaders = { ":authority": host, ":path": target, ...lowerCase };
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const stream = session.request(headers);
      let status = 0;
      stream.on("response", (answer) => (status = answer[":status"] ?? 0));
      stream.on("error", reject);
      stream.on("close", () => (status === 200 ? resolve() : reject(new Error(`status ${status}`))));
      stream.resume();
    });
  return {
    async run(count) {
      for (let i = 0; i < count; i++) {
        // One after the other is what is wanted.
        await ask();
      }
    },
    [Symbol.dispose]: () => session.destroy(),
  };
}
