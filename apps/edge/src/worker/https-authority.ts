// The host that a redirect to https names, with the ports that this edge's listeners are really bound to.
import { httpsAuthority } from "@sluice/core/match";
import type { Table } from "@sluice/core/model";
import type { HttpsAuthority } from "../proxy/select-route.ts";
import type { Binding } from "./messages.ts";

export function httpsAuthorityFor(
  table: () => Table,
  binding: (listener: string) => Binding | undefined,
): HttpsAuthority {
  const boundPort = ({ name }: { readonly name: string }): number | undefined => binding(name)?.port;
  return (authority, listener) => httpsAuthority(authority, listener, { listeners: table().listeners, boundPort });
}
