// The micro-benchmarks by name. They need no other process and no network, but a quiet machine.
import { benchAccessLog } from "./access-log.ts";
import { benchBalancers } from "./balancers.ts";
import { benchHeads } from "./heads.ts";
import { benchHttp1Requests } from "./http1-requests.ts";
import { benchHttp2Sessions } from "./http2-sessions.ts";
import { benchMatch } from "./match.ts";
import { benchDecode, benchDelta } from "./tables.ts";
import { benchUpstreamResponses } from "./upstream-responses.ts";

const benches = {
  decode: benchDecode,
  delta: benchDelta,
  http1: benchHttp1Requests,
  http2: benchHttp2Sessions,
  upstream: benchUpstreamResponses,
  heads: benchHeads,
  "access-log": benchAccessLog,
};

async function benchMicro(): Promise<void> {
  await benchMatch();
  await benchBalancers();
  // One after the other: they share a processor.
  for (const bench of Object.values(benches)) await bench();
}

export const microBenches: Readonly<Record<string, () => Promise<void>>> = { ...benches, micro: benchMicro };
