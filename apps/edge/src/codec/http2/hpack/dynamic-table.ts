// The dynamic table of one direction (RFC 7541, 2.3.2 and 4): the newest field first, the oldest leave when it grows too large.

/** What an entry costs besides its text (RFC 7541, 4.1). */
export const entryOverheadBytes = 32;

/** A ring: inserting moves nothing. */
export class DynamicTable {
  #maxBytes: number;
  #bytes: number;
  #names: string[];
  #values: string[];
  /** Where the newest entry is. */
  #head: number;
  #count: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#bytes = 0;
    this.#names = [];
    this.#values = [];
    this.#head = 0;
    this.#count = 0;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  get length(): number {
    return this.#count;
  }

  /** @param age 0 is the newest */
  nameAt(age: number): string {
    return this.#names[this.#place(age)] ?? "";
  }

  valueAt(age: number): string {
    return this.#values[this.#place(age)] ?? "";
  }

  /** Where a field is; -1 when it is not here. A walk, for there are few: 4 KiB are 40 fields of usual length, and no text is made to ask. */
  ageOf(name: string, value: string): number {
    for (let age = 0; age < this.#count; age++) {
      const place = this.#place(age);
      if (this.#names[place] === name && this.#values[place] === value) return age;
    }
    return -1;
  }

  ageOfName(name: string): number {
    for (let age = 0; age < this.#count; age++) if (this.#names[this.#place(age)] === name) return age;
    return -1;
  }

  /** An entry larger than the table empties it and is not kept (RFC 7541, 4.4). */
  insert(name: string, value: string): void {
    const bytes = name.length + value.length + entryOverheadBytes;
    this.#evict(this.#maxBytes - bytes);
    if (bytes > this.#maxBytes) return;
    if (this.#count === this.#names.length) this.#grow();
    this.#head = (this.#head + this.#names.length - 1) % this.#names.length;
    this.#names[this.#head] = name;
    this.#values[this.#head] = value;
    this.#count++;
    this.#bytes += bytes;
  }

  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#evict(maxBytes);
  }

  #evict(allowedBytes: number): void {
    while (this.#count > 0 && this.#bytes > allowedBytes) {
      const place = this.#place(this.#count - 1);
      this.#bytes -= (this.#names[place]?.length ?? 0) + (this.#values[place]?.length ?? 0) + entryOverheadBytes;
      this.#names[place] = "";
      this.#values[place] = "";
      this.#count--;
    }
  }

  #place(age: number): number {
    const at = this.#head + age;
    return at < this.#names.length ? at : at - this.#names.length;
  }

  /** No more than the limit allows: an entry costs 32 bytes of it at least. */
  #grow(): void {
    const size = Math.max(8, this.#names.length * 2);
    const names = Array.from({ length: this.#count }, (_, age) => this.nameAt(age));
    const values = Array.from({ length: this.#count }, (_, age) => this.valueAt(age));
    this.#names = [...names, ...Array.from({ length: size - names.length }, () => "")];
    this.#values = [...values, ...Array.from({ length: size - values.length }, () => "")];
    this.#head = 0;
  }
}
