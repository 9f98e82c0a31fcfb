// How a virtual service names the Gateways it is bound to (istio-semantics 1.2, 2.1).
import type { FieldPath } from "../model/index.ts";
import { isLabelName, isSubdomainName } from "../parse/identify.ts";
import { quote } from "../parse/finding.ts";
import type { Reporter } from "./reporter.ts";

/** `name`, `namespace/name`, `mesh`, or the full name that Istio 0.x used. */
export function checkGatewayNames(names: readonly string[], path: FieldPath, reporter: Reporter): void {
  for (const [index, name] of names.entries()) {
    const slash = name.indexOf("/");
    const namespace = slash < 0 ? "." : name.slice(0, slash);
    if ((namespace === "." || isLabelName(namespace)) && isSubdomainName(name.slice(slash + 1))) {
      if (slash < 0 && name.includes(".")) warnOfFullName(name, [...path, index], reporter);
      continue;
    }
    const message = `${quote(name)} is not the name of a Gateway`;
    const hint = 'Write "name", "namespace/name" or "mesh".';
    reporter.error({ code: "invalid-gateway-name", path: [...path, index], message, hint });
  }
}

/** `gw.shop`, `gw.shop.svc.cluster.local`: read, as Istio still does. */
function warnOfFullName(name: string, path: FieldPath, reporter: Reporter): void {
  const [gateway, namespace] = name.split(".", 2);
  const message = `${quote(name)} is the spelling of Istio 0.x`;
  const hint = `Write ${quote(`${namespace}/${gateway}`)}.`;
  reporter.warning({ code: "legacy-gateway-name", path, message, hint });
}
