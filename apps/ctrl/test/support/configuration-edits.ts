// Configurations in which everything depends on everything, and edits of them, for those who compare a compilation with memory to one without.
import type { SourceText } from "@sluice/core/model";
import fc from "fast-check";

const indexes = [0, 1, 2];
const service = (index: number) => `back-${index}.default.svc.cluster.local`;

/** A document by the name it keeps while its text varies. */
export interface Slot {
  readonly name: string;
  readonly text: fc.Arbitrary<string>;
}

function document(kind: string, name: string, spec: string, apiVersion = "networking.istio.io/v1"): string {
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: ${name}, namespace: default }\nspec: ${spec}\n`;
}

const host = fc.constantFrom("back-0", "back-1", service(0), service(1), service(2), "alias", "nowhere", "api.example");
const port = fc.constantFrom("", ", port: { number: 80 }", ", port: { number: 81 }");
const subset = fc.constantFrom("", ", subset: v1", ", subset: v2");
const destination = fc.tuple(host, port, subset).map(([to, at, of]) => `{ destination: { host: ${to}${at}${of} } }`);
const match = fc.constantFrom(
  "",
  "match: [{ uri: { prefix: /a } }], ",
  "match: [{ port: 8080, uri: { exact: /b } }], ",
  "match: [{ uri: { prefix: /c } }, { headers: { x: { exact: y } } }], ",
  "match: [{ gateways: [edge] }], ",
);
const rule = fc.oneof(
  fc
    .tuple(match, destination, fc.constantFrom("", ", retries: { attempts: 2, retryOn: 5xx }"))
    .map(([when, to, more]) => `{ ${when}route: [${to}]${more} }`),
  fc
    .tuple(match, destination, destination)
    .map(([when, to, copy]) => `{ ${when}route: [${to}], mirror: ${copy.slice("{ destination: ".length, -2)} }`),
  match.map((when) => `{ ${when}redirect: { uri: /else, derivePort: FROM_REQUEST_PORT } }`),
  match.map((when) => `{ ${when}delegate: { name: part } }`),
);
const rules = fc.array(rule, { minLength: 1, maxLength: 3 }).map((all) => `[${all.join(", ")}]`);

function virtualService(name: string): fc.Arbitrary<string> {
  const hosts = fc.constantFrom("[a.example]", "[b.example]", '["*.example"]', "[a.example, b.example]", "[shop]");
  const gateways = fc.constantFrom("[edge]", "[edge, second]", "[edge, second]", "[second]", "[missing]");
  const exportTo = fc.constantFrom("", "", "", "", ', exportTo: ["."]', ", exportTo: [other]");
  return fc
    .tuple(hosts, gateways, rules, exportTo)
    .map(([names, at, http, to]) =>
      document("VirtualService", name, `{ hosts: ${names}, gateways: ${at}, http: ${http}${to} }`),
    );
}

function gateway(name: string, number: number): fc.Arbitrary<string> {
  const hosts = fc.constantFrom('["*"]', '["*.example"]', "[a.example]", '["./*"]');
  const tls = fc.constantFrom("", ", tls: { httpsRedirect: true }");
  const ports = fc.constantFrom(number, 80);
  const selector = fc.constantFrom("{ istio: ingressgateway }", "{}", "{}", "{ istio: other }");
  return fc
    .tuple(hosts, ports, tls, selector)
    .map(([names, at, more, labels]) =>
      document(
        "Gateway",
        name,
        `{ selector: ${labels}, servers: [{ port: { number: ${at}, name: http, protocol: HTTP }, hosts: ${names}${more} }] }`,
      ),
    );
}

function serviceEntry(index: number): fc.Arbitrary<string> {
  const ports = fc.constantFrom(
    "{ number: 80, name: http, protocol: HTTP }",
    "{ number: 81, name: other, protocol: HTTP }",
  );
  const exportTo = fc.constantFrom("", "", "", ', exportTo: ["."]');
  return fc
    .tuple(fc.uniqueArray(ports, { minLength: 1, maxLength: 2 }), fc.constantFrom("10.0.0.1", "10.0.0.2"), exportTo)
    .map(([all, address, to]) =>
      document(
        "ServiceEntry",
        `back-${index}`,
        `{ hosts: [${service(index)}], ports: [${all.join(", ")}], resolution: STATIC, endpoints: [{ address: ${address}, labels: { version: v1 } }]${to} }`,
      ),
    );
}

const destinationRule = fc
  .tuple(
    fc.constantFrom(service(0), "back-1", '"*.default.svc.cluster.local"'),
    fc.constantFrom(
      "",
      ", subsets: [{ name: v1, labels: { version: v1 } }]",
      ", subsets: [{ name: v2, labels: { version: v2 } }]",
    ),
    fc.constantFrom("", ", trafficPolicy: { loadBalancer: { consistentHash: { httpHeaderName: x-user } } }"),
  )
  .map(([to, subsets, policy]) => document("DestinationRule", "rule", `{ host: ${to}${subsets}${policy} }`));

const externalName = fc
  .constantFrom(service(0), service(1), "api.example")
  .map((target) => document("Service", "alias", `{ type: ExternalName, externalName: ${target} }`, "v1"));

const delegate = fc
  .tuple(rule, fc.constantFrom("", "", "", "", ', exportTo: ["."]', ", exportTo: [other]"))
  .map(([one, to]) =>
    document(
      "VirtualService",
      "part",
      `{ http: [${one.includes("delegate") ? "{ directResponse: { status: 204 } }" : one}]${to} }`,
    ),
  );

/** Everything that a configuration may hold, each once. */
export const slots: readonly Slot[] = [
  { name: "edge", text: gateway("edge", 8080) },
  { name: "second", text: gateway("second", 8081) },
  ...indexes.map((index) => ({ name: `vs-${index}`, text: virtualService(`vs-${index}`) })),
  ...indexes.map((index) => ({ name: `se-${index}`, text: serviceEntry(index) })),
  { name: "rule", text: destinationRule },
  { name: "alias", text: externalName },
  { name: "part", text: delegate },
  // Now and then something is wrong: nothing may be remembered of what was refused.
  {
    name: "broken",
    text: fc.constantFrom("kind: [", "", "# only a comment\n", "kind: Gateway\nmetadata: { name: x }\n"),
  },
];

/** One edit: a document gets another text or goes; or lines are added above all, which moves every document. */
export const anyEdit = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: slots.length - 2 }).chain(edit) },
  { weight: 1, arbitrary: edit(slots.length - 1) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 0, max: 3 }).map((lines) => ({ name: "lines", text: "#\n".repeat(lines) })),
  },
);

function edit(index: number): fc.Arbitrary<{ readonly name: string; readonly text: string | null }> {
  const slot = slots[index];
  if (slot === undefined) throw new Error(`no slot ${index}`);
  const { name, text } = slot;
  return fc
    .oneof({ weight: 5, arbitrary: text }, { weight: 1, arbitrary: fc.constant(null) })
    .map((next) => ({ name, text: next }));
}

/** The documents in two files, as people write them. */
export function toTexts(documents: ReadonlyMap<string, string>): readonly SourceText[] {
  const above = documents.get("lines") ?? "";
  const all = [...documents].filter(([name]) => name !== "lines");
  const inFile = (remainder: number) =>
    all.filter(([name]) => name.length % 2 === remainder).map(([, text]) => `---\n${text}`);
  return [0, 1].map((remainder) => ({ file: `${remainder}.yaml`, text: above + inFile(remainder).join("") }));
}
