// Lets the `ws` client speak over HTTP/2, which it cannot: its handshake is turned into an extended CONNECT (RFC 8441) and its frames
// pass as they are.
import { createHash } from "node:crypto";
import { type ClientHttp2Session, type ClientHttp2Stream, constants } from "node:http2";
import { type Duplex, duplexPair } from "node:stream";

const acceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** For `createConnection` of a WebSocket. The session's peer must allow extended CONNECT. */
export function webSocketConnection(session: ClientHttp2Session, authority: string): Duplex {
  const [client, wire] = duplexPair();
  wire.once("data", (head: Buffer) => {
    wire.pause();
    const stream = openTunnel(session, { authority, wire, head: head.toString("latin1") });
    // The two halves of a pair do not tell each other when one is destroyed.
    client.on("close", () =>
      stream.close(stream.readableEnded ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_CANCEL),
    );
    stream.on("close", () => {
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) client.destroy();
    });
  });
  return client;
}

interface Handshake {
  readonly authority: string;
  readonly wire: Duplex;
  /** As `ws` writes it: at once and whole. */
  readonly head: string;
}

function openTunnel(session: ClientHttp2Session, { authority, wire, head }: Handshake): ClientHttp2Stream {
  const path = head.split(" ")[1] ?? "/";
  const key = /^sec-websocket-key: (\S+)/im.exec(head)?.[1] ?? "";
  const pseudo = { ":method": "CONNECT", ":protocol": "websocket", ":scheme": "https", ":path": path };
  const fields = { ...pseudo, ":authority": authority, "sec-websocket-version": "13" };
  const stream = session.request(fields, { endStream: false });
  stream.on("error", () => undefined);
  stream.on("response", ({ ":status": status }) => {
    if (status === 200) {
      const accept = createHash("sha1").update(`${key}${acceptSuffix}`).digest("base64");
      wire.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n");
      wire.write(`sec-websocket-accept: ${accept}\r\n\r\n`);
      wire.pipe(stream);
    } else {
      wire.write(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\n\r\n`);
    }
    stream.pipe(wire);
  });
  return stream;
}
