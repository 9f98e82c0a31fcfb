// etcd asked behind the store's back, and a wire that loses etcd's answers.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

interface EtcdReply {
  readonly header: { readonly revision: string; readonly member_id: string };
  readonly kvs: readonly { readonly key: string; readonly lease?: string }[];
}

/** Keys and values are given as they are. */
export async function askEtcd(
  endpoints: readonly string[],
  path: string,
  body: Readonly<Record<string, string>>,
): Promise<EtcdReply> {
  const binary = new Set(["key", "range_end", "value"]);
  const encoded = Object.entries(body).map(([name, value]) => {
    return [name, binary.has(name) ? Buffer.from(value).toString("base64") : value];
  });
  const text = JSON.stringify(Object.fromEntries(encoded));
  const response = await fetch(new URL(path, endpoints[0]), { method: "POST", body: text });
  if (!response.ok) throw new Error(await response.text());
  const reply = (await response.json()) as Partial<EtcdReply>;
  return { header: { revision: "", member_id: "" }, kvs: [], ...reply };
}

export interface LosingProxy extends AsyncDisposable {
  readonly url: string;
  readonly lost: number;
  /** Of the requests that come from now on: so many get no answer, though etcd carries them out. */
  lose(answers: number): void;
}

/** Forwards everything, and loses answers to requests of one path whose body holds a text. */
export async function losesAnswers(
  target: string,
  { path, when }: { readonly path: string; readonly when: string },
): Promise<LosingProxy> {
  let toLose = 0;
  let lost = 0;
  const forward = async (request: IncomingMessage, response: ServerResponse) => {
    const body = (await request.toArray()).join("");
    const ending = new AbortController();
    response.on("close", () => ending.abort());
    const url = new URL(request.url ?? "", target);
    const answer = await fetch(url, { method: "POST", body, signal: ending.signal });
    if (toLose > 0 && request.url === path && body.includes(when)) {
      await answer.text();
      toLose--;
      lost++;
      response.destroy();
      return;
    }
    response.writeHead(answer.status);
    for await (const chunk of answer.body ?? []) response.write(chunk);
    response.end();
  };
  const server = createServer((request, response) => {
    forward(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get lost() {
      return lost;
    },
    lose(answers) {
      toLose = answers;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
