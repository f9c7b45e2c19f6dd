import { quoted } from '../../common';
import { WeightsError } from '../errors';

/** Half of a character, which an escape can spell and UTF-8 cannot. The reference implementation refuses it too. */
export const LONE_SURROGATE = /\p{Surrogate}/u;

/** A value that the reader ignores may nest this deep, as in the reference implementation. */
const MAX_DEPTH = 128;

/** Most tensors of a file. The largest T5 has 1,200; each costs a hundred times its place in the header. */
const MOST_TENSORS = 1 << 17;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** What a header says of one tensor. A field that is not there is null. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: string | null;
  readonly shape: readonly number[] | null;
  readonly offsets: readonly number[] | null;
}

export interface HeaderEntries {
  readonly tensors: readonly TensorEntry[];
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads the JSON of a safetensors header, in time and memory proportional to its length. JSON.parse would let much through that
 * the format forbids: duplicate keys, `__proto__`, fractions and exponents where whole numbers belong, numbers above 2^53.
 * Fields of a tensor that the format does not define may hold any JSON, as for the reference implementation.
 *
 * @throws WeightsError `header-invalid`, which names the place
 */
export function scanHeader(text: string, file: string): HeaderEntries {
  return new Scanner(text, file).header();
}

class Scanner {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly file: string,
  ) {}

  header(): HeaderEntries {
    const tensors: TensorEntry[] = [];
    let metadata: ReadonlyMap<string, string> = new Map();
    this.object('a header that is an object', (key) => {
      if (key === '__metadata__') metadata = this.metadata();
      else tensors.push(this.tensor(key));
      if (tensors.length > MOST_TENSORS) throw this.error(`at most ${MOST_TENSORS} tensors`);
    });
    this.space();
    if (this.at < this.text.length) throw this.error('end of header');
    return { tensors, metadata };
  }

  private metadata(): ReadonlyMap<string, string> {
    const metadata = new Map<string, string>();
    this.space();
    if (this.word('null')) return metadata;
    this.object('__metadata__ to be an object', (key) => {
      this.space();
      if (this.text.charCodeAt(this.at) !== QUOTE) throw this.error(`__metadata__.${quoted(key)} to be a string`);
      metadata.set(key, this.string());
    });
    return metadata;
  }

  private tensor(name: string): TensorEntry {
    let dtype: string | null = null;
    let shape: readonly number[] | null = null;
    let offsets: readonly number[] | null = null;
    this.object(`tensor ${quoted(name)} to be an object`, (key) => {
      this.space();
      if (key === 'dtype') dtype = this.string();
      else if (key === 'shape') shape = this.integers();
      else if (key === 'data_offsets') offsets = this.integers();
      else this.skip(0);
    });
    return { name, dtype, shape, offsets };
  }

  /** Reads an object; `onKey` reads the value of each key. */
  private object(expected: string, onKey: (key: string) => void): void {
    if (!this.take('{')) throw this.error(expected);
    if (this.take('}')) return;
    const seen = new Set<string>();
    do {
      this.space();
      const start = this.at;
      const key = this.string();
      if (key === '__proto__' || seen.has(key)) {
        this.at = start;
        throw this.error(
          key === '__proto__' ? 'a key other than __proto__' : `each key once (${quoted(key)} is repeated)`,
        );
      }
      seen.add(key);
      if (!this.take(':')) throw this.error("':'");
      onKey(key);
    } while (this.take(','));
    if (!this.take('}')) throw this.error("',' or '}'");
  }

  private integers(): number[] {
    const list: number[] = [];
    if (!this.take('[')) throw this.error('a list of whole numbers');
    if (this.take(']')) return list;
    do {
      this.space();
      list.push(this.integer());
    } while (this.take(','));
    if (!this.take(']')) throw this.error("',' or ']'");
    return list;
  }

  private integer(): number {
    const start = this.at;
    let value = 0;
    for (let digit = this.digit(); digit >= 0; digit = this.digit()) {
      value = value * 10 + digit;
      this.at++;
      if (value > Number.MAX_SAFE_INTEGER) {
        this.at = start;
        throw this.error('a whole number below 2^53');
      }
    }
    const length = this.at - start;
    const next = this.text[this.at] ?? '';
    const isWhole = length > 0 && !(length > 1 && this.text[start] === '0') && !'.eE'.includes(next || ' ');
    if (isWhole) return value;
    this.at = start;
    throw this.error('a whole number');
  }

  /** The digit at the current place, or −1. */
  private digit(): number {
    const code = this.text.charCodeAt(this.at);
    return code >= 0x30 && code <= 0x39 ? code - 0x30 : -1;
  }

  private string(): string {
    const { text } = this;
    const start = this.at;
    if (text.charCodeAt(start) !== QUOTE) throw this.error('a string');
    let end = start + 1;
    let isPlain = true;
    for (let code = text.charCodeAt(end); code !== QUOTE; code = text.charCodeAt(end)) {
      if (end >= text.length) throw this.error('a closing quote');
      if (code === BACKSLASH || code < 0x20) isPlain = false;
      end += code === BACKSLASH ? 2 : 1;
    }
    const value = isPlain ? text.slice(start + 1, end) : this.unescaped(text.slice(start, end + 1));
    this.at = end + 1;
    return value;
  }

  /** The text that a string with escapes spells. */
  private unescaped(literal: string): string {
    let value: string;
    try {
      value = JSON.parse(literal) as string;
    } catch {
      throw this.error('a valid string');
    }
    if (LONE_SURROGATE.test(value)) throw this.error('a string without half characters');
    return value;
  }

  /** Passes over any JSON value. */
  private skip(depth: number): void {
    if (depth > MAX_DEPTH) throw this.error(`at most ${MAX_DEPTH} levels`);
    this.space();
    const first = this.text[this.at];
    if (first === '"') this.string();
    else if (first === '{') this.skipList('}', depth, true);
    else if (first === '[') this.skipList(']', depth, false);
    else if (!this.word('null') && !this.word('true') && !this.word('false')) this.skipNumber();
  }

  private skipList(close: string, depth: number, hasKeys: boolean): void {
    this.at++;
    if (this.take(close)) return;
    do {
      this.space();
      if (hasKeys) {
        this.string();
        if (!this.take(':')) throw this.error("':'");
      }
      this.skip(depth + 1);
    } while (this.take(','));
    if (!this.take(close)) throw this.error(`',' or '${close}'`);
  }

  private skipNumber(): void {
    const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
    number.lastIndex = this.at;
    if (!number.test(this.text)) throw this.error('a value');
    this.at = number.lastIndex;
  }

  /** Takes a word such as `null` when it stands here. */
  private word(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  private take(character: string): boolean {
    this.space();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private space(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.at++;
    }
  }

  private error(expected: string): WeightsError {
    const found = this.at < this.text.length ? quoted(this.text.slice(this.at, this.at + 12)) : 'the end';
    return new WeightsError(
      'header-invalid',
      `${this.file}: header, character ${this.at}: expected ${expected}, found ${found}`,
    );
  }
}
