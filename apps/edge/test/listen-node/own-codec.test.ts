// The suites of HTTP/1.1 once more, read and written by our own codec: what holds for node:http holds for it.
import { useCodec } from "./support.ts";

useCodec("own");
await import("./http1.test.ts");
await import("./old-clients.test.ts");
await import("./trailers.test.ts");
await import("./web-socket.test.ts");
await import("./proxy-protocol.test.ts");
await import("./filter-chain.test.ts");
await import("./mutual-tls.test.ts");
