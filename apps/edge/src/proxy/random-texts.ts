// Texts with random hex digits in them (request ids, trace headers), made many at a time: one call to the generator and one string serve 64
// requests, each of which then costs a slice. `randomUUID` alone put 20 pieces together, 590 bytes a request.
import { randomFillSync } from "node:crypto";

const textsABatch = 64;
const hexDigits = Buffer.from("0123456789abcdef", "latin1");

export class RandomTexts {
  private readonly length: number;
  /** Where in a text random digits stand, and which of its digits. */
  private readonly places: Uint16Array;
  private readonly digits: Uint16Array;
  private readonly digitCount: number;
  private readonly random: Buffer;
  /** The texts of the last batch, of which only the digits change. */
  private readonly bytes: Buffer;
  private texts: string;
  private used: number;

  /** @param template `*` is a random digit, `%` the next of the digits of the first run of `*` once more; the first is never 0 */
  constructor(template: string) {
    this.length = template.length;
    const places = placesIn(template);
    this.places = Uint16Array.from(places, ({ at }) => at);
    this.digits = Uint16Array.from(places, ({ digit }) => digit);
    this.digitCount = Math.max(...this.digits) + 1;
    this.random = Buffer.allocUnsafeSlow(this.digitCount * textsABatch);
    this.bytes = Buffer.from(template.repeat(textsABatch), "latin1");
    this.texts = "";
    this.used = 0;
  }

  next(): string {
    if (this.used === this.texts.length) this.refill();
    const start = this.used;
    this.used += this.length;
    return this.texts.slice(start, this.used);
  }

  /** Place by place, through all texts: of two loops inside one another the inner one does next to nothing. */
  private refill(): void {
    const { bytes, digitCount, digits, length, places, random } = this;
    randomFillSync(random);
    for (let i = 0; i < random.length; i += digitCount) random[i] = 1 + ((random[i] ?? 0) % 15);
    for (let i = 0; i < random.length; i++) random[i] = hexDigits[(random[i] ?? 0) & 15] ?? 0;
    for (let place = 0; place < places.length; place++) {
      let from = digits[place] ?? 0;
      for (let to = places[place] ?? 0; to < bytes.length; to += length) {
        bytes[to] = random[from] ?? 0;
        from += digitCount;
      }
    }
    this.texts = bytes.toString("latin1");
    this.used = 0;
  }
}

function placesIn(template: string): { at: number; digit: number }[] {
  const places: { at: number; digit: number }[] = [];
  const firstRun = /\*+/.exec(template)?.[0].length ?? 0;
  let digits = 0;
  let repeated = 0;
  for (let at = 0; at < template.length; at++) {
    if (template[at] === "*") places.push({ at, digit: digits++ });
    else if (template[at] === "%") places.push({ at, digit: repeated++ % firstRun });
  }
  return places;
}
