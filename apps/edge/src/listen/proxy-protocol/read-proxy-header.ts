// Takes the PROXY protocol header off a connection that has just been accepted, in the time it is given.
import type { Socket } from "node:net";
import { parseProxyHeader, type ProxiedAddresses, type ProxyHeaderFault } from "./proxy-header-parser.ts";

export interface ProxyHeaderReading {
  readonly timeoutMs: number;
  /** The header has been read and what came after it put back. Null addresses: those of the socket count. */
  onHeader(addresses: ProxiedAddresses | null): void;
  /** No valid header. The caller closes the connection. */
  onRefused(reason: ProxyHeaderFault): void;
}

/** Calls exactly one of the two, or none where the client goes away before it has sent anything. */
export function readProxyHeader(socket: Socket, reading: ProxyHeaderReading): void {
  let received: Buffer = Buffer.alloc(0);
  const stop = (): void => {
    clearTimeout(timer);
    socket.off("data", onData).off("close", onClose);
  };
  const refuse = (reason: ProxyHeaderFault): void => {
    stop();
    reading.onRefused(reason);
  };
  const onData = (chunk: Buffer): void => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const result = parseProxyHeader(received);
    if (result.kind === "incomplete") return;
    if (result.kind === "refused") return refuse(result.reason);
    stop();
    // Paused: nothing is lost before the next reader is there, who finds the rest first and resumes.
    socket.pause();
    if (received.length > result.byteLength) socket.unshift(received.subarray(result.byteLength));
    reading.onHeader(result.addresses);
  };
  const onClose = (): void => {
    stop();
    // Load balancers ask whether a port is open by connecting and saying nothing: that is no broken header.
    if (received.length > 0) reading.onRefused("proxy_protocol_invalid");
  };
  const timer = setTimeout(refuse, reading.timeoutMs, "proxy_protocol_missing");
  socket.on("data", onData).on("close", onClose);
}
