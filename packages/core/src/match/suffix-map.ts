// Names to values the way Istio and Envoy choose: the exact name, else the longest wildcard suffix (istio-semantics 2.2, 2.4).

/** A map from exact names and `*suffix` names. The first value set for a name stays. */
export class SuffixMap<Value> {
  readonly #exact = new Map<string, Value>();
  /** Keyed by the text after `*`. */
  readonly #suffixes = new Map<string, Value>();
  /** Distinct lengths of the suffixes, longest first. */
  #lengths: readonly number[] = [];
  /** The last answer: requests of one connection, and of busy hosts, ask the same again, and a name from the wire has no hash yet. */
  #lastName = "";
  #lastValue: Value | null = null;

  set(name: string, value: Value): void {
    this.#lastValue = null;
    if (!name.startsWith("*")) {
      if (!this.#exact.has(name)) this.#exact.set(name, value);
      return;
    }
    const suffix = name.slice(1);
    if (this.#suffixes.has(suffix)) return;
    this.#suffixes.set(suffix, value);
    if (!this.#lengths.includes(suffix.length)) {
      this.#lengths = [...this.#lengths, suffix.length].toSorted((left, right) => right - left);
    }
  }

  /** The value for `name`. A wildcard stands for at least one character: `*.foo.com` is not `.foo.com`. */
  get(name: string): Value | null {
    if (this.#lastValue !== null && name === this.#lastName) return this.#lastValue;
    const value = this.#find(name);
    this.#lastName = name;
    this.#lastValue = value;
    return value;
  }

  #find(name: string): Value | null {
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    for (const length of this.#lengths) {
      if (length >= name.length) continue;
      const value = this.#suffixes.get(name.slice(name.length - length));
      if (value !== undefined) return value;
    }
    return null;
  }
}
