// Writes wait for the end of the event loop's turn: by then every upstream that had something has been read, and what all streams of a
// connection have to say leaves in one system call.

export interface Flushable {
  flush(): void;
}

let waiting: Flushable[] = [];
/** What `waiting` was in the turn before, empty: the two take turns, so that a turn costs no list. */
let spare: Flushable[] = [];

/** Each connection asks once a turn; see its own flag. */
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
