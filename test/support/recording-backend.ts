// A backend that remembers every request it gets, whole, and answers as the story says.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface RecordedRequest {
  readonly method: string;
  /** As sent: path and query. */
  readonly target: string;
  /** By lower-case name; repeated ones joined by `|` in the order sent. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The answer, null for none at all. `count`: how many requests there have been with this target, this one included. */
export type Answering = (request: RecordedRequest, count: number) => Answer | null;

export class RecordingBackend {
  readonly requests: RecordedRequest[] = [];
  private readonly server = createServer();

  static async start(answering: Answering = () => ({})): Promise<RecordingBackend> {
    const backend = new RecordingBackend();
    backend.server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const recorded = {
          method: request.method ?? "",
          target: request.url ?? "",
          headers: joined(request.rawHeaders),
          body: Buffer.concat(chunks).toString("latin1"),
        };
        backend.requests.push(recorded);
        const answer = answering(recorded, backend.of(recorded.target).length);
        if (answer === null) return;
        response.writeHead(answer.status ?? 200, answer.headers).end(answer.body ?? "ok");
      });
    });
    backend.server.listen(0, "127.0.0.1");
    await once(backend.server, "listening");
    return backend;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Requests with this target. */
  of(target: string): RecordedRequest[] {
    return this.requests.filter((request) => request.target === target);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }
}

function joined(raw: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] ?? "").toLowerCase();
    const value = raw[i + 1] ?? "";
    headers[name] = name in headers ? `${headers[name]}|${value}` : value;
  }
  return headers;
}
