import { MemoryStore } from "../src/store/memory-store.ts";
import { describeResourceStore } from "./support/store-contract.ts";

describeResourceStore("the store in memory", async (maxHistory) => {
  const store = new MemoryStore(maxHistory);
  return { store, reopen: null, [Symbol.asyncDispose]: async () => await store.close() };
});
