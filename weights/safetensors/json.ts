import { WeightsError } from '../errors';

/** What a strict scan of a safetensors header gives. Objects are maps, so that no key can reach a prototype. */
export type HeaderValue = string | number | HeaderValue[] | Map<string, HeaderValue>;

/** Nesting that a header can need is 3 (object, tensor, list); more is an attack on the stack. */
const MAX_DEPTH = 8;

/** Half of a character, which an escape can spell and UTF-8 cannot; the reference implementation refuses it too. */
export const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Scans a safetensors header: JSON without null, booleans, fractions, exponents, negative or unsafe integers, duplicate keys or
 * `__proto__`. JSON.parse would let all of those through.
 *
 * @throws WeightsError `header-invalid`, naming the byte
 */
export function scanHeader(text: string, file: string): HeaderValue {
  return new Scanner(text, file).document();
}

class Scanner {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly file: string,
  ) {}

  document(): HeaderValue {
    const value = this.value(0);
    this.space();
    if (this.at < this.text.length) throw this.error('end of header');
    return value;
  }

  private value(depth: number): HeaderValue {
    if (depth > MAX_DEPTH) throw this.error(`at most ${MAX_DEPTH} levels`);
    this.space();
    const first = this.text[this.at];
    if (first === '{') return this.object(depth);
    if (first === '[') return this.list(depth);
    if (first === '"') return this.string();
    return this.integer();
  }

  private object(depth: number): Map<string, HeaderValue> {
    const map = new Map<string, HeaderValue>();
    this.at++;
    if (this.take('}')) return map;
    do {
      this.space();
      const start = this.at;
      const key = this.string();
      if (key === '__proto__' || map.has(key)) {
        this.at = start;
        throw this.error(
          key === '__proto__' ? 'a key other than __proto__' : `each key once (${JSON.stringify(key)} is repeated)`,
        );
      }
      if (!this.take(':')) throw this.error("':'");
      map.set(key, this.value(depth + 1));
    } while (this.take(','));
    if (!this.take('}')) throw this.error("',' or '}'");
    return map;
  }

  private list(depth: number): HeaderValue[] {
    const list: HeaderValue[] = [];
    this.at++;
    if (this.take(']')) return list;
    do list.push(this.value(depth + 1));
    while (this.take(','));
    if (!this.take(']')) throw this.error("',' or ']'");
    return list;
  }

  private string(): string {
    const start = this.at;
    if (this.text[start] !== '"') throw this.error('a string');
    let end = start + 1;
    while (end < this.text.length && this.text[end] !== '"') end += this.text[end] === '\\' ? 2 : 1;
    if (end >= this.text.length) throw this.error('a closing quote');
    let value: string;
    try {
      value = JSON.parse(this.text.slice(start, end + 1)) as string;
    } catch {
      throw this.error('a valid string');
    }
    if (LONE_SURROGATE.test(value)) throw this.error('a string without half characters');
    this.at = end + 1;
    return value;
  }

  private integer(): number {
    const match = /^(?:0|[1-9][0-9]*)(?![0-9.eE])/.exec(this.text.slice(this.at, this.at + 32));
    if (!match) throw this.error('an object, list, string or whole number');
    const value = Number(match[0]);
    if (!Number.isSafeInteger(value)) throw this.error('a whole number below 2^53');
    this.at += match[0].length;
    return value;
  }

  private take(character: string): boolean {
    this.space();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private space(): void {
    while (/[ \t\n\r]/.test(this.text[this.at] ?? '')) this.at++;
  }

  private error(expected: string): WeightsError {
    const found = this.at < this.text.length ? JSON.stringify(this.text.slice(this.at, this.at + 12)) : 'the end';
    return new WeightsError(
      'header-invalid',
      `${this.file}: header, character ${this.at}: expected ${expected}, found ${found}`,
    );
  }
}
