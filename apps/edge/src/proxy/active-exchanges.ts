// The exchanges under way. Each knows its place in the list, so that one begins and ends without hashing: a Set is rebuilt every few pairs of
// additions and removals, 115 to 270 bytes a request.
import type { Exchange } from "../exchange/exchange.ts";

export class ActiveExchanges {
  readonly #list: Exchange[] = [];

  get count(): number {
    return this.#list.length;
  }

  add(exchange: Exchange): void {
    exchange.activeIndex = this.#list.length;
    this.#list.push(exchange);
  }

  /** The last one takes its place. */
  remove(exchange: Exchange): void {
    const { activeIndex } = exchange;
    const last = this.#list[activeIndex] === exchange ? this.#list.pop() : undefined;
    if (last === undefined) return;
    exchange.activeIndex = -1;
    if (last === exchange) return;
    last.activeIndex = activeIndex;
    this.#list[activeIndex] = last;
  }

  /** Those without a byte since, in a list of its own: whoever ends them may walk it. @param seconds of the coarse clock */
  idleSince(seconds: number): Exchange[] {
    return this.#list.filter(({ lastActivity }) => lastActivity < seconds);
  }
}
