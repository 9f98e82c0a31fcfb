// Reading resources: what was pushed, and what the directory's files declare. Values of Secrets are never given out.
import { describeDocument, type SourceText } from "@sluice/core/model";
import { z } from "zod";
import type { DeclaredResource } from "../../compile/documents.ts";
import { redactSecrets } from "../../compile/redaction.ts";
import { PushError } from "../../push/push-error.ts";
import type { StoredResource } from "../../store/resource-store.ts";
import { kinds, resourceParams, type ResourceParams } from "../resource-params.ts";
import { type Route, route } from "../route.ts";
import { documentSchema, resourceListSchema } from "../schemas.ts";
import type { Services } from "../services.ts";

const listQuery = z.strictObject({
  kind: z.enum(kinds).optional(),
  namespace: z.string().optional(),
  name: z.string().optional(),
  source: z.enum(["store", "file"]).optional().describe("Only what was pushed, or only what files declare."),
});

type Declared = ReadonlyMap<string, DeclaredResource>;

interface Entry {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly source: "store" | "file";
  readonly file: string | null;
  readonly resourceVersion: string | null;
  readonly shadowed: boolean;
  readonly resource: Readonly<Record<string, unknown>>;
}

export function resourceRoutes(services: Services): readonly Route[] {
  const readDeclared = declaredReader(services);
  return [listRoute(services, readDeclared), getRoute(services, readDeclared)];
}

function listRoute(services: Services, readDeclared: () => Promise<Declared>): Route {
  return route<object, z.output<typeof listQuery>, unknown>({
    method: "GET",
    path: "/v1/resources",
    summary: "List resources",
    role: "read",
    query: listQuery,
    answers: { 200: { description: "What is used, by kind, namespace and name.", schema: resourceListSchema } },
    handle: async ({ query }) => {
      const { number, resources } = await services.store.read();
      const declared = await readDeclared();
      const wanted = ({ kind, namespace, name }: StoredResource | DeclaredResource) =>
        (query.kind ?? kind) === kind && (query.namespace ?? namespace) === namespace && (query.name ?? name) === name;
      const entries = [
        ...[...declared.values()].filter(wanted).map((one) => declaredEntry(one, services, resources)),
        ...[...resources.values()]
          .filter((resource) => wanted(resource) && !declared.has(describeDocument(resource)))
          .map(storedEntry),
      ];
      const listed = entries.filter(({ source }) => (query.source ?? source) === source);
      return { number, resources: listed.toSorted(byKey) };
    },
  });
}

function getRoute(services: Services, readDeclared: () => Promise<Declared>): Route {
  return route<ResourceParams, object, unknown>({
    method: "GET",
    path: "/v1/resources/{kind}/{namespace}/{name}",
    summary: "Read one resource",
    description:
      "The document that is used, with metadata.resourceVersion and an ETag where it was pushed. The header x-sluice-source says `store`, or which file declares it.",
    role: "read",
    params: resourceParams,
    answers: { 200: { description: "The document.", schema: documentSchema } },
    handle: async ({ params, reply }) => {
      const key = describeDocument(params);
      const { resources } = await services.store.read();
      const [declared, stored] = [(await readDeclared()).get(key), resources.get(key)];
      if (declared === undefined && stored === undefined) throw new PushError("not-found", `${key} does not exist`);
      const entry =
        declared === undefined ? storedEntry(stored as StoredResource) : declaredEntry(declared, services, resources);
      if (entry.source === "store") void reply.header("etag", `"${entry.resourceVersion}"`);
      void reply.header("x-sluice-source", entry.file === null ? "store" : encodeURI(entry.file));
      return entry.resource;
    },
  });
}

function storedEntry({ kind, namespace, name, text, resourceVersion }: StoredResource): Entry {
  const value = redactSecrets(JSON.parse(text) as Record<string, unknown>);
  const metadata = { ...(value["metadata"] as object), resourceVersion: String(resourceVersion) };
  return {
    kind,
    namespace,
    name,
    source: "store",
    file: null,
    resourceVersion: String(resourceVersion),
    shadowed: false,
    resource: { ...value, metadata },
  };
}

function declaredEntry(
  { kind, namespace, name, text }: DeclaredResource,
  { tables }: Services,
  stored: ReadonlyMap<string, StoredResource>,
): Entry {
  const key = describeDocument({ kind, namespace, name });
  const shadowed = stored.get(key);
  return {
    kind,
    namespace,
    name,
    source: "file",
    file: tables.current?.inputs.declared.get(key) ?? null,
    resourceVersion: shadowed === undefined ? null : String(shadowed.resourceVersion),
    shadowed: shadowed !== undefined,
    resource: JSON.parse(text) as Record<string, unknown>,
  };
}

/** Reads the files of the running configuration once, when first asked. */
function declaredReader({ tables, compiler }: Services): () => Promise<Declared> {
  let known: { readonly texts: readonly SourceText[]; readonly declared: Promise<Declared> } | null = null;
  return async () => {
    const texts = tables.current?.inputs.texts ?? [];
    if (texts.length === 0) return new Map();
    if (known?.texts !== texts) known = { texts, declared: compiler.readDeclared(texts) };
    return await known.declared;
  };
}

function byKey(left: Entry, right: Entry): number {
  const order = kinds.findIndex((kind) => kind === left.kind) - kinds.findIndex((kind) => kind === right.kind);
  if (order !== 0) return order;
  const [former, latter] = [`${left.namespace}/${left.name}`, `${right.namespace}/${right.name}`];
  return former < latter ? -1 : 1;
}
