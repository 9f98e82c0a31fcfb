// What an operator may have meant who named a Secret that is not there: the same name in another namespace, or a name like it.
import type { KeyValueSpec, Resource, ResourceSet } from "../model/index.ts";
import { Suggestions } from "../validate/suggestions.ts";
import { certificateResourceName, type Credential } from "./credential-name.ts";
import { compareText } from "./order.ts";

type Source = Credential["source"];

export class SecretHints {
  readonly #objects: Readonly<Record<Source, readonly Resource<KeyValueSpec>[]>>;
  readonly #suggestions = new Map<string, Suggestions>();
  /** Namespaces by source and name; made when the first hint is asked for. */
  #places: ReadonlyMap<string, readonly string[]> | null = null;

  constructor({ secrets, configMaps }: Pick<ResourceSet, "secrets" | "configMaps">) {
    this.#objects = { Secret: secrets, ConfigMap: configMaps };
  }

  /** A hint; undefined when nothing is near. */
  of(credential: Credential): string | undefined {
    const { source, namespace, name } = credential;
    const [elsewhere] = this.#placesOf(source, name).filter((place) => place !== namespace);
    if (elsewhere !== undefined) {
      const written = certificateResourceName({ ...credential, namespace: elsewhere });
      return `There is one in namespace ${elsewhere}: move it to ${namespace}, or write "${written}".`;
    }
    return this.#namesIn(source, namespace).didYouMean(name);
  }

  #placesOf(source: Source, name: string): readonly string[] {
    this.#places ??= this.#collectPlaces();
    return this.#places.get(`${source}/${name}`) ?? [];
  }

  #collectPlaces(): ReadonlyMap<string, readonly string[]> {
    const places = new Map<string, string[]>();
    for (const source of ["Secret", "ConfigMap"] as const) {
      for (const { name, namespace } of this.#objects[source]) {
        const key = `${source}/${name}`;
        places.set(key, [...(places.get(key) ?? []), namespace].toSorted(compareText));
      }
    }
    return places;
  }

  #namesIn(source: Source, namespace: string): Suggestions {
    const key = `${source}/${namespace}`;
    const known = this.#suggestions.get(key);
    if (known !== undefined) return known;
    const names = this.#objects[source].filter((object) => object.namespace === namespace).map(({ name }) => name);
    const suggestions = new Suggestions(names.toSorted(compareText));
    this.#suggestions.set(key, suggestions);
    return suggestions;
  }
}
