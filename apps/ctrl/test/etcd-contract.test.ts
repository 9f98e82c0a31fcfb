// The store in etcd is held to what every keeper must do, on a real etcd, with a checkpoint every other version and without.
import { randomUUID } from "node:crypto";
import { afterAll, describe } from "vitest";
import { EtcdStore } from "../src/store/etcd/etcd-store.ts";
import { etcdCluster, hasEtcd } from "../../../test/support/etcd.ts";
import { describeResourceStore } from "./support/store-contract.ts";

describe.runIf(hasEtcd)("etcd", async () => {
  if (!hasEtcd) return;
  const cluster = await etcdCluster();
  afterAll(async () => await cluster[Symbol.asyncDispose]());

  for (const checkpointEvery of [2, 100]) {
    describeResourceStore(`the store in etcd, a checkpoint every ${checkpointEvery} versions`, async (maxHistory) => {
      const options = {
        endpoints: cluster.endpoints,
        tls: {},
        prefix: `/${randomUUID()}`,
        timeoutMs: 10_000,
        maxHistory,
        checkpointEvery,
        onWarning: () => {},
      };
      let store = await EtcdStore.open(options);
      return {
        store,
        reopen: async () => {
          await store.close();
          return (store = await EtcdStore.open(options));
        },
        [Symbol.asyncDispose]: async () => await store.close(),
      };
    });
  }
});
