// What is to be written waits for the end of the event loop's turn. By then everything that has come was read, what one connection has to say leaves in
// one system call, and the calls of all connections follow one another: the kernel's code stays in the processor's cache, and who waits at the other
// end is woken once and not before every byte. At half load and below a turn is one request, and nothing waits.

export interface Flushable {
  flush(): void;
}

let waiting: Flushable[] = [];
/** What `waiting` was in the turn before, empty: the two take turns, so that a turn costs no list. */
let spare: Flushable[] = [];

/** Has `flush` called when the turn ends. Whoever asks twice is called twice. */
export function flushLater(connection: Flushable): void {
  if (waiting.push(connection) === 1) setImmediate(flushAll);
}

function flushAll(): void {
  const connections = waiting;
  waiting = spare;
  for (const connection of connections) connection.flush();
  connections.length = 0;
  spare = connections;
}
