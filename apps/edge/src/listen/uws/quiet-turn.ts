// The moment to close a listening socket of a port that others go on listening on.
//
// The kernel resets what is in the queue of a socket that closes. Every turn of the event loop empties that queue, so what can be lost is
// what arrives between that and the close: within one turn. Measured on one worker, 200 closes among 10,000 new connections a second:
// after any turn 490 resets, after a quiet one none. What is left are clients whose handshake with the kernel is under way, a round trip
// long; `net.ipv4.tcp_migrate_req=1` has Linux hand those and the queue to the other sockets (docs/adr/0001).

/** A turn this short leaves next to no time for a connection to arrive. */
const quietTurnMs = 0.03;
/** From then on a turn hardly longer than the shortest so far will do: a busy worker has no quiet ones. */
const patienceMs = 500;
const hardlyLonger = 1.2;
/** In the end any turn. Until the close, connections are still accepted with what is out of date. */
const limitMs = 2000;

/** Resolves at the end of a turn of the event loop in which as little as possible happened, within two seconds. */
export function quietTurn(): Promise<void> {
  return new Promise((resolve) => {
    const startedAtMs = performance.now();
    let turnStartedAtMs = Number.NEGATIVE_INFINITY;
    let shortestMs = Number.POSITIVE_INFINITY;
    const onTurnEnd = () => {
      const nowMs = performance.now();
      const turnMs = nowMs - turnStartedAtMs;
      const waitedMs = nowMs - startedAtMs;
      const enoughMs = waitedMs < patienceMs ? quietTurnMs : Math.max(quietTurnMs, shortestMs * hardlyLonger);
      if (turnMs < enoughMs || waitedMs > limitMs) return resolve();
      shortestMs = Math.min(shortestMs, turnMs);
      turnStartedAtMs = nowMs;
      setImmediate(onTurnEnd);
    };
    setImmediate(onTurnEnd);
  });
}
