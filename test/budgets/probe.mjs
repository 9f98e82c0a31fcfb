// Runs inside every process of a gateway under measurement (`NODE_OPTIONS=--import`, hence JavaScript) and answers on a Unix socket of its own what
// only the process itself can tell: what it has allocated, what it holds, which scripts it has compiled.
import { Session } from "node:inspector";
import { createServer } from "node:net";
import { GCProfiler, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isMainThread } from "node:worker_threads";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc");

/** What the first has found in Buffers is only given back, and counted as such, when the second begins. */
function collectTwice() {
  collectGarbage();
  collectGarbage();
}

let collections = new GCProfiler();

/** Bytes in use now, garbage that was not collected yet included. */
function used() {
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return { heapBytes: heapUsed, bufferBytes: arrayBuffers };
}

const answers = {
  title: () => process.title,

  /** Begins a window in which what is allocated adds up. */
  begin() {
    collectTwice();
    collections = new GCProfiler();
    collections.start();
    return used();
  },

  /** Ends it; with a collection in between the difference to its beginning says nothing. */
  end: () => ({ ...used(), collections: collections.stop().statistics.length }),

  /** What is in use once nothing is garbage. */
  live() {
    collectTwice();
    return used();
  },

  /** Every script that has been compiled and is still there, also Node's own: its URL and its length. */
  scripts() {
    const scripts = [];
    const session = new Session();
    session.connect();
    session.on("Debugger.scriptParsed", ({ params: { length, url } }) => scripts.push({ url, bytes: length }));
    session.post("Debugger.enable");
    session.disconnect();
    return scripts;
  },
};

// Threads wait for work without turning their event loops: they could not answer.
if (isMainThread) {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (question) => socket.end(JSON.stringify(answers[question.toString()]())));
  });
  server.listen(`${process.env.SLUICE_PROBES}/${process.pid}`);
  server.unref();
}
