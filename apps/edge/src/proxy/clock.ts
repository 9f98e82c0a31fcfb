// One coarse clock for everything that only needs seconds: idle and stream timeouts read it instead of asking the system.

let seconds = Math.floor(performance.now() / 1000);
const timer = setInterval(() => {
  seconds = Math.floor(performance.now() / 1000);
}, 1000);
timer.unref();

/** Monotonic seconds, at most one second late. */
export function coarseSeconds(): number {
  return seconds;
}
