// The protocol that a service port declares: `appProtocol`, the prefix of the port's name, or a ServiceEntry's `protocol`
// (istio-semantics 1.5).
import type { KnownPort } from "./service-registry.ts";

/** True when the port declares HTTP/2. Without TLS that is h2c with prior knowledge. */
export function declaresHttp2(known: KnownPort): boolean {
  // A ServiceEntry's port name is a name only; HTTPS and TLS say what the client speaks, so nothing here starts TLS by itself.
  const text = known.kind === "entry" ? (known.port.protocol ?? "") : servicePortText(known.port);
  return isHttp2Name(text.toLowerCase());
}

/** `appProtocol` replaces the name even where it says nothing to us. */
function servicePortText({ name = "", appProtocol }: { name?: string | undefined; appProtocol?: string | undefined }) {
  if (appProtocol === undefined || appProtocol === "") return name;
  return appProtocol.toLowerCase() === "kubernetes.io/h2c" ? "http2" : appProtocol;
}

function isHttp2Name(text: string): boolean {
  if (text.startsWith("grpc-web")) return true;
  const [prefix] = text.split("-", 1);
  return prefix === "http2" || prefix === "grpc";
}
