// Which keeper holds what is pushed: chosen by the settings, opened once.
import { join } from "node:path";
import type { Settings } from "@sluice/core/settings";
import { EmbeddedStore } from "./embedded/embedded-store.ts";
import type { ResourceStore } from "./resource-store.ts";

/** Opens the store of the state directory. @throws Error that tells what to do, when it cannot be used */
export async function openStore(
  { state, ctrl }: Pick<Settings, "state" | "ctrl">,
  onWarning: (message: string) => void,
): Promise<ResourceStore> {
  return await EmbeddedStore.open({
    directory: join(state.directory, "store"),
    maxHistory: ctrl.history,
    onWarning,
  });
}
