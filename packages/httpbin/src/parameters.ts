// Strict reading of numbers from paths and queries: a typing error in a test must answer 400, not act as some default.
import { RequestError } from "./request-error.ts";

interface Range {
  /** How the parameter is called in the message. */
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

/** A decimal integer within the range; anything else is a 400. */
export function parseInteger(text: string, range: Range): number {
  return within(/^\d{1,15}$/.test(text) ? Number(text) : Number.NaN, range, "an integer");
}

/** A decimal number, fractions allowed, within the range; anything else is a 400. */
export function parseNumber(text: string, range: Range): number {
  return within(/^\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN, range, "a number");
}

function within(value: number, { name, min, max }: Range, kind: string): number {
  if (value >= min && value <= max) return value;
  throw new RequestError(400, `${name} must be ${kind} from ${min} to ${max}`);
}
