// The suites of HTTP once more, read and written by our own codec: what holds for node:http and node:http2 holds for it.
import { useCodec } from "./support.ts";

useCodec("own");
await import("./http1.test.ts");
await import("./old-clients.test.ts");
await import("./trailers.test.ts");
await import("./web-socket.test.ts");
await import("./proxy-protocol.test.ts");
await import("./filter-chain.test.ts");
await import("./mutual-tls.test.ts");
await import("./http2.test.ts");
await import("./http2-floods.test.ts");
