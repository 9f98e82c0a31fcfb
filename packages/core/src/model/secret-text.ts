// Text that must never be printed: private keys. Every way of printing it by accident prints `[secret]`.
const inspect = Symbol.for("nodejs.util.inspect.custom");

/** Holds a secret; only `reveal()` gives it back. JSON, template strings, `console.log` and pino see `[secret]`. */
export class SecretText {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toJSON(): string {
    return "[secret]";
  }

  toString(): string {
    return "[secret]";
  }

  [inspect](): string {
    return "[secret]";
  }
}
