// For listeners whose chains all speak HTTP.
import type { NetworkHandler } from "../../src/exchange/network-handler.ts";

export const noNetwork: NetworkHandler = {
  onConnection() {
    throw new Error("no chain of this listener forwards raw bytes");
  },
};
