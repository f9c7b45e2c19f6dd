import { quotedJson } from '../../common';
/** A JSON object of a tokenizer's file. */
export type Json = { readonly [key: string]: unknown };

/** @throws RangeError that names the field */
export function object(value: unknown, field: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RangeError(`${field} is not an object`);
  }
  return value as Json;
}

/** @throws RangeError that names the field */
export function list(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new RangeError(`${field} is not a list`);
  return value;
}

/** @throws RangeError that names the field */
export function text(value: unknown, field: string): string {
  if (typeof value !== 'string') throw new RangeError(`${field} is not a text`);
  return value;
}

/** The steps of a normaliser, pre-tokeniser or decoder: those of a Sequence, or the one step that stands alone. */
export function steps(value: unknown, field: string, key: string): Json[] {
  if (value === null || value === undefined) return [];
  const step = object(value, field);
  if (step.type !== 'Sequence') return [step];
  return list(step[key], `${field}.${key}`).flatMap((part) => steps(part, field, key));
}

/** The error for a part of a tokenizer that this code does not have. It is named, because ids still work without it. */
export function unsupported(field: string, found: unknown): RangeError {
  return new RangeError(`${field} ${quotedJson(found)}, which is not supported`);
}
