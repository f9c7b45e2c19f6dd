import { parseShallowJson, printable, quotedJson, shortened } from '../common';
import { WeightsError } from './errors';

export type Json = Readonly<Record<string, unknown>>;

/** Parses a file whose whole content is one JSON object. @throws WeightsError `config-invalid` */
export function parseObject(text: string, file: string): Json {
  let value: unknown;
  try {
    value = parseShallowJson(text);
  } catch (error) {
    throw new WeightsError('config-invalid', `${file}: expected JSON, found ${printable((error as Error).message)}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new WeightsError(
    'config-invalid',
    `${file}: expected an object, found ${Array.isArray(value) ? 'a list' : typeof value}`,
  );
}

/** Longest part of a file that a message shows, in characters. */
const LONGEST_FOUND = 120;

/** Typed access to fields; null counts as absent, as Hugging Face writes it. */
export class Fields {
  constructor(
    readonly json: Json,
    private readonly file: string,
  ) {}

  error(name: string, expected: string, found: string): WeightsError {
    return new WeightsError(
      'config-invalid',
      `${this.file}: ${name}: expected ${expected}, found ${printable(shortened(found, LONGEST_FOUND))}`,
    );
  }

  oneOf<Value extends string>(name: string, values: readonly Value[]): Value {
    const found = this.json[name];
    if (values.includes(found as Value)) return found as Value;
    throw this.error(name, values.join(', '), quotedJson(found));
  }

  text(name: string, fallback: string): string {
    const found = this.json[name] ?? fallback;
    if (typeof found === 'string') return found;
    throw this.error(name, 'a string', quotedJson(found));
  }

  integer(name: string, least: number, most: number, fallback?: number): number {
    const found = this.json[name] ?? fallback;
    if (Number.isInteger(found) && (found as number) >= least && (found as number) <= most) return found as number;
    throw this.error(name, `a whole number from ${least} to ${most}`, quotedJson(found));
  }

  size(name: string, most: number, fallback?: number): number {
    return this.integer(name, 1, most, fallback);
  }

  positive(name: string, fallback: number): number {
    const found = this.json[name] ?? fallback;
    if (typeof found === 'number' && found > 0 && found < 1) return found;
    throw this.error(name, 'a number between 0 and 1', quotedJson(found));
  }

  flag(name: string): boolean | undefined {
    const found = this.json[name] ?? undefined;
    if (found === undefined || typeof found === 'boolean') return found;
    throw this.error(name, 'true or false', quotedJson(found));
  }
}
