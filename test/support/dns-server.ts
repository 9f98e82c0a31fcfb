// A name server for one test: answers A and AAAA questions over UDP from a record that the test changes as it goes.
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv4 } from "node:net";

export interface NameRecord {
  readonly addresses: readonly string[];
  readonly ttlSeconds: number;
}

const typeA = 1;
const typeAaaa = 28;
const headBytes = 12;

export class DnsServer implements AsyncDisposable {
  /** By name; what is not in it does not exist (NXDOMAIN). */
  readonly names = new Map<string, NameRecord>();
  /** `failing`: SERVFAIL. `silent`: no answer at all. */
  mood: "answering" | "failing" | "silent" = "answering";
  /** Questions asked so far, `web.test A`. */
  readonly questions: string[] = [];
  readonly #socket: Socket;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (message, sender) => this.#onMessage(message, sender));
  }

  static async listen(names: Readonly<Record<string, NameRecord>> = {}): Promise<DnsServer> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const server = new DnsServer(socket);
    for (const [name, record] of Object.entries(names)) server.names.set(name, record);
    return server;
  }

  /** `127.0.0.1:41234`, as `edge.dns.servers` takes it. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  /** Resolves with the next question. */
  async nextQuestion(): Promise<string> {
    const known = this.questions.length;
    while (this.questions.length === known) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.questions[known] ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await once(this.#socket, "close");
  }

  #onMessage(message: Buffer, sender: RemoteInfo): void {
    const { name, end } = readName(message);
    const type = message.readUInt16BE(end);
    this.questions.push(`${name} ${type === typeA ? "A" : type === typeAaaa ? "AAAA" : type}`);
    for (const resolve of this.#waiting.splice(0)) resolve();
    if (this.mood === "silent") return;
    this.#socket.send(this.#answer(message, end + 4, name, type), sender.port, sender.address);
  }

  #answer(message: Buffer, questionEnd: number, name: string, type: number): Buffer {
    const record = this.names.get(name);
    const isKnown = this.mood === "answering" && record !== undefined;
    const matching = (isKnown ? record.addresses : []).filter((address) => isIPv4(address) === (type === typeA));
    const head = Buffer.from(message.subarray(0, questionEnd));
    // Response, recursion available; 2 SERVFAIL, 3 NXDOMAIN.
    head.writeUInt16BE(0x8180 | (this.mood === "failing" ? 2 : isKnown ? 0 : 3), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(matching.length, 6);
    head.writeUInt32BE(0, 8);
    return Buffer.concat([head, ...matching.map((address) => resourceRecord(address, type, record?.ttlSeconds ?? 0))]);
  }
}

function readName(message: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = headBytes;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join(".").toLowerCase(), end: at + 1 };
}

/** Its name is a pointer to that of the question. */
function resourceRecord(address: string, type: number, ttlSeconds: number): Buffer {
  const data = addressBytes(address);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc000 | headBytes, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttlSeconds, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  const [before = "", after = ""] = address.split("::");
  const [head, tail] = [before, after].map((half) => half.split(":").filter((group) => group !== ""));
  const groups = [...(head ?? []), ...Array.from({ length: 8 - (head?.length ?? 0) - (tail?.length ?? 0) }, () => "0")];
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...groups, ...(tail ?? [])].entries())
    bytes.writeUInt16BE(parseInt(group, 16), index * 2);
  return bytes;
}
