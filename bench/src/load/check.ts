// A contender is measured only when it answers right: the backend's bytes, behind every host that is asked, over a kept connection to the
// backend, with the headers that all contenders add; and a mutual-TLS door only when it is closed to those without a certificate.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type Answer, ask, cipherOf, type Question } from "./ask.ts";
import { clientFiles } from "./certificates.ts";
import { type Contender, hostName, type World } from "./contender.ts";
import type { Entrant } from "./lineup.ts";
import { until } from "./processes.ts";
import { doorOf, type Load } from "./scenarios.ts";

/** Throws with the first thing that is not right. */
export async function check(entrant: Entrant, load: Load, world: World): Promise<void> {
  const { site, contender } = entrant;
  const door = doorOf(load);
  const port = contender.doors[door];
  if (port === undefined) throw new Error(`it has no door ${door}`);
  const client = door === "mtls" ? { client: clientFiles(world.directory) } : {};
  const question = (host: number, path: string): Question => ({ port, door, host: hostName(host), path, ...client });
  // Messages are checked one by one where they are sent.
  if (site.upstream === "echo") return;
  if (door !== "plain") await checkCiphers(port, hostName(0));
  const path = "path" in load ? load.path : "/small";
  for (const host of new Set([0, site.hosts - 1])) await checkBody(question(host, path), world);
  if (site.routes === 1) await checkHeaders(question(0, "/seen"));
  if ("bodyBytes" in load && load.bodyBytes !== undefined) {
    await checkUpload({ ...question(0, "/digest"), body: Buffer.alloc(load.bodyBytes, "sluice") });
  }
  if (site.hasAccessLog) await checkLog(contender, path);
  if (door === "mtls") await checkRefusal({ port, door, host: hostName(0), path });
}

async function checkBody(question: Question, { backendPort }: World): Promise<void> {
  const expected = await ask({ port: backendPort, door: "plain", host: question.host, path: question.path });
  if (expected.status !== 200) throw new Error(`the backend answers ${question.path} with ${expected.status}`);
  const answer = await ask(question);
  if (answer.status !== 200 || sha256(answer) !== sha256(expected)) {
    const body = answer.body.subarray(0, 80).toString();
    throw new Error(
      `${question.host}${question.path}: ${answer.status} ${JSON.stringify(body)} is not the backend's answer`,
    );
  }
}

interface Seen {
  readonly host: string;
  readonly forwardedFor: string;
  readonly forwardedProto: string;
  readonly requestId: string;
  readonly requestsOnConnection: number;
}

async function checkHeaders(question: Question): Promise<void> {
  const seen: Seen[] = [];
  // Several, because a pool may take a new connection before it uses one again.
  for (let attempt = 0; attempt < 5; attempt++) seen.push(JSON.parse((await ask(question)).body.toString()) as Seen);
  const scheme = question.door === "plain" ? "http" : "https";
  for (const { host, forwardedFor, forwardedProto, requestId } of seen) {
    const isRight = host === question.host && forwardedFor === "127.0.0.1" && forwardedProto === scheme;
    if (!isRight || requestId.length < 16) throw new Error(`the backend sees ${JSON.stringify(seen[0])}`);
  }
  if (new Set(seen.map(({ requestId }) => requestId)).size < seen.length) throw new Error("request ids repeat");
  if (Math.max(...seen.map(({ requestsOnConnection }) => requestsOnConnection)) < 2) {
    throw new Error("it does not keep connections to the backend");
  }
}

async function checkUpload(question: Question & { readonly body: Buffer }): Promise<void> {
  const answer = await ask(question);
  if (answer.body.toString() !== createHash("sha256").update(question.body).digest("hex")) {
    throw new Error(
      `an upload did not arrive as it was sent: ${answer.status} ${answer.body.toString().slice(0, 200)}`,
    );
  }
}

/**
 * Whoever encrypts with 128 bits has less to do than whoever does with 256, so all let the client choose: the generators prefer different ones.
 */
async function checkCiphers(port: number, host: string): Promise<void> {
  const suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"];
  for (const preferred of [suites, suites.toReversed()]) {
    const chosen = await cipherOf(port, host, preferred);
    if (chosen !== preferred[0]) throw new Error(`a client that prefers ${preferred[0]} gets ${chosen}`);
  }
}

/** Logs are gathered before they are written, by most for a second. */
async function checkLog({ accessLog, process }: Contender, path: string): Promise<void> {
  const hasLine = async () => (await readFile(accessLog, "utf8").catch(() => "")).includes(path);
  await until(hasLine, process, 10_000);
}

/** nginx takes the connection and answers 400; the others end the handshake. */
async function checkRefusal(question: Question): Promise<void> {
  const answer = await ask(question).catch(() => null);
  if (answer !== null && answer.status !== 400) throw new Error(`without a certificate it answers ${answer.status}`);
}

function sha256({ body }: Answer): string {
  return createHash("sha256").update(body).digest("hex");
}
