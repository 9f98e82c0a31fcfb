// Versions that came into the store by another way than a push here: through another ctrl. They are published as they are.
import type { Live } from "./live.ts";

export interface StoreChangesOptions {
  readonly live: Live;
  /** Nothing runs yet: the directory comes first. */
  onNothingRuns(): void;
}

/** Follows the store. @returns what ends it */
export function followStore(options: StoreChangesOptions): () => void {
  const { live } = options;
  let isWaiting = false;
  const isNews = (number: number) => number > (live.tables.current?.inputs.number ?? 0);
  return live.store.onChange(({ number }) => {
    // A push here tells of itself before its turn ends, so most of what is told is old by the time it is looked at.
    if (isWaiting || !isNews(number)) return;
    isWaiting = true;
    live.schedule(async () => {
      isWaiting = false;
      const snapshot = await live.store.read();
      if (!isNews(snapshot.number)) return;
      const running = live.tables.current?.inputs;
      if (running === undefined) return options.onNothingRuns();
      const { texts } = running;
      const compiled = await live.compiler.compile({ texts, stored: [...snapshot.resources.values()] });
      live.record(compiled, { texts, number: snapshot.number, origin: "store", source: "store" });
    });
  });
}
