// Earliest deadline first: how Envoy serves endpoints of different weight in turn. Each has a deadline that lies 1/weight behind its
// last turn; the earliest is next. A binary heap in typed arrays: taking a turn allocates nothing.

export class EdfQueue {
  private readonly heap: Uint32Array;
  private readonly deadlines: Float64Array;

  /** Of `weights.length` members; the first turns go by weight, then by number. */
  constructor(weights: readonly number[]) {
    this.heap = Uint32Array.from(weights, (_, index) => index);
    this.deadlines = Float64Array.from(weights, (weight) => 1 / weight);
    for (let at = (weights.length >>> 1) - 1; at >= 0; at--) this.sink(at);
  }

  /** The number of the member whose turn it is. */
  get next(): number {
    return this.heap[0] ?? 0;
  }

  /** Its turn is over; the following one comes by `weight`, which may be another than before. */
  takeTurn(weight: number): void {
    const { deadlines, next } = this;
    deadlines[next] = (deadlines[next] ?? 0) + 1 / weight;
    this.sink(0);
  }

  private sink(start: number): void {
    const { heap } = this;
    let at = start;
    for (;;) {
      let earliest = at;
      const left = 2 * at + 1;
      if (left < heap.length && this.isBefore(left, earliest)) earliest = left;
      if (left + 1 < heap.length && this.isBefore(left + 1, earliest)) earliest = left + 1;
      if (earliest === at) return;
      const moved = heap[at] ?? 0;
      heap[at] = heap[earliest] ?? 0;
      heap[earliest] = moved;
      at = earliest;
    }
  }

  /** Equal deadlines by number, so that the order is the same everywhere. */
  private isBefore(left: number, right: number): boolean {
    const { deadlines, heap } = this;
    const a = heap[left] ?? 0;
    const b = heap[right] ?? 0;
    const difference = (deadlines[a] ?? 0) - (deadlines[b] ?? 0);
    return difference < 0 || (difference === 0 && a < b);
  }
}
