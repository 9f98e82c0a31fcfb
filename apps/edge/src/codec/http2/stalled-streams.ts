// Answers that are complete and do not get out: the client gives them no window, or takes nothing from its socket (CVE-2019-9517).
import type { Stream } from "./stream.ts";

/** Those of which nothing has been sent for `limitMs`. Looked at from time to time: the first look begins the wait. */
export function findStalled<Owner>(
  streams: Iterable<Stream<Owner>>,
  nowMs: number,
  limitMs: number,
): readonly Stream<Owner>[] {
  const stalled: Stream<Owner>[] = [];
  for (const stream of streams) {
    if (!stream.isLocalEnded || stream.isSent) continue;
    if (stream.stalledSinceMs === 0) stream.stalledSinceMs = nowMs;
    else if (nowMs - stream.stalledSinceMs >= limitMs) stalled.push(stream);
  }
  return stalled;
}
