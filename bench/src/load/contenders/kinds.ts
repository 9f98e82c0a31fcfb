// All contenders, peers first.
import type { ContenderKind } from "../contender.ts";
import { envoy } from "./envoy.ts";
import { haproxy } from "./haproxy.ts";
import { nginx } from "./nginx.ts";
import { nodeProxies } from "./node-proxy.ts";
import { sluices } from "./sluice.ts";

export const kinds: readonly ContenderKind[] = [nginx, haproxy, envoy, ...nodeProxies, ...sluices];
