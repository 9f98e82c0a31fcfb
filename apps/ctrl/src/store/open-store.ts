// Which keeper holds what is pushed: chosen by the settings, opened once.
import { join } from "node:path";
import type { Settings } from "@sluice/core/settings";
import { EmbeddedStore } from "./embedded/embedded-store.ts";
import { EtcdStore } from "./etcd/etcd-store.ts";
import type { ResourceStore } from "./resource-store.ts";

/** Opens the store of the state directory, or that in etcd. @throws Error that tells what to do, when it cannot be used */
export async function openStore(
  { state, ctrl }: Pick<Settings, "state" | "ctrl">,
  onWarning: (message: string) => void,
): Promise<ResourceStore> {
  const { etcd } = ctrl.store;
  const common = { maxHistory: ctrl.history, onWarning };
  if (etcd === undefined) return await EmbeddedStore.open({ directory: join(state.directory, "store"), ...common });
  const { timeoutSeconds, ...connection } = etcd;
  return await EtcdStore.open({ ...connection, timeoutMs: timeoutSeconds * 1000, ...common });
}
