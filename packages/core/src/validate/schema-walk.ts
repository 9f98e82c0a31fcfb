// Reading zod schemas as data: which fields an object has, what a list holds. Only used to explain refusals.
import { z } from "zod";

/** The fields of an object schema; null for every other schema. */
export function objectShape(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> | null {
  const inner = unwrap(schema);
  return inner instanceof z.ZodObject ? inner.shape : null;
}

/** True for objects that refuse unknown fields. */
export function isStrict(schema: z.core.$ZodType): boolean {
  const inner = unwrap(schema);
  return inner instanceof z.ZodObject && inner.def.catchall instanceof z.ZodNever;
}

/** What a list or a map holds; null for every other schema. */
export function elementSchema(schema: z.core.$ZodType): z.core.$ZodType | null {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodArray) return inner.element;
  return inner instanceof z.ZodRecord ? inner.valueType : null;
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return unwrap(schema.def.innerType);
  return schema;
}
