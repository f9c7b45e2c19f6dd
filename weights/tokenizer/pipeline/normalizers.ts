import { openCharsmap } from '../charsmap';
import { type Json, list, object, text, unsupported } from '../json';
import { normalize } from '../normalize';
import { Pace, pieces, type Steps } from '../steps';
import { byteLetters } from './byte-letters';
import type { Pattern } from './match';
import { readPattern } from './pattern';

/** A text on its way through a tokenizer's steps. */
export interface Part {
  readonly text: string;
  /**
   * How many UTF-16 units at its front come from the very first character of the input. `prepend_scheme: first` looks at it: in
   * Hugging Face's library a part is first when its first character's offset in the input is 0.
   */
  readonly head: number;
}

export type Normalizer = (part: Part) => Steps<Part>;

/** The step that changes nothing. */
// biome-ignore lint/correctness/useYield: there is nothing to do in parts
export function* keep(part: Part): Steps<Part> {
  return part;
}

export const WHITE_SPACE = /^\p{White_Space}$/u;

/**
 * Reads the `normalizer` of tokenizer.json: the steps of Hugging Face's library (tokenizers/src/normalizers).
 *
 * @throws RangeError that names a step that is not supported
 */
export function readNormalizer(value: unknown): Normalizer {
  if (value === null || value === undefined) return keep;
  const step = object(value, 'normalizer');
  const read = typeof step.type === 'string' && Object.hasOwn(NORMALIZERS, step.type) ? NORMALIZERS[step.type] : null;
  if (read === null) throw unsupported('normalizer', step.type);
  return read(step);
}

const NORMALIZERS: Readonly<Record<string, (step: Json) => Normalizer>> = {
  Sequence(step) {
    const all = list(step.normalizers, 'normalizers').map(readNormalizer);
    return function* (part) {
      let current = part;
      for (const one of all) current = yield* one(current);
      return current;
    };
  },
  NFC: () => ofText((whole) => whole.normalize('NFC'), isAscii),
  NFD: () => ofText((whole) => whole.normalize('NFD'), isAscii),
  NFKC: () => ofText((whole) => whole.normalize('NFKC'), isAscii),
  NFKD: () => ofText((whole) => whole.normalize('NFKD'), isAscii),
  Nmt: () => ofText(nmt),
  // Letter by letter: in Rust a final sigma does not depend on its place.
  Lowercase: () => ofText((whole) => whole.replace(/\p{Changes_When_Lowercased}/gu, (letter) => letter.toLowerCase())),
  StripAccents: () => ofText((whole) => whole.replace(/\p{M}/gu, '')),
  ByteLevel: () => ofText(byteLetters),
  Precompiled: (step) => charsmapNormalizer(base64(step.precompiled_charsmap)),
  Strip: (step) => strip(step.strip_left !== false, step.strip_right !== false),
  Prepend(step) {
    const prefix = text(step.prepend, 'normalizer Prepend');
    // biome-ignore lint/correctness/useYield: there is nothing to do in parts
    return function* (part) {
      return part.text === '' ? part : { text: prefix + part.text, head: part.head && part.head + prefix.length };
    };
  },
  Replace: (step) => replace(readPattern(step.pattern, 'normalizer Replace'), text(step.content, 'normalizer Replace')),
};

/** No character of ASCII joins the one before it, in any of Unicode's four forms. */
const isAscii = (code: number) => code < 0x80;

/**
 * The step for a function of texts that maps a beginning to a beginning.
 *
 * @param mayFollow whether a text may be cut in front of a character, by its first code unit, and its pieces be changed one by one
 */
function ofText(change: (whole: string) => string, mayFollow: (code: number) => boolean = () => true): Normalizer {
  return function* ({ text: whole, head }) {
    const text = yield* changeInPieces(whole, change, mayFollow);
    return { text, head: head === 0 ? 0 : change(whole.slice(0, head)).length };
  };
}

/** Changes a text piece by piece. */
export function* changeInPieces(
  whole: string,
  change: (piece: string) => string,
  mayFollow: (code: number) => boolean = () => true,
): Steps<string> {
  const out: string[] = [];
  for (const piece of pieces(whole, (at) => mayFollow(whole.charCodeAt(at)))) {
    if (out.length > 0) yield;
    out.push(change(piece));
  }
  return out.join('');
}

/** SentencePiece's own table of replacements. */
export function charsmapNormalizer(bytes: Uint8Array): Normalizer {
  const [utf8, decoder] = [new TextEncoder(), new TextDecoder('utf-8', { ignoreBOM: true })];
  const spec = { charsmap: bytes, addDummyPrefix: false, removeExtraWhitespaces: false, escapeWhitespaces: false };
  const normalizer = { spec, charsmap: bytes.length === 0 ? null : openCharsmap(bytes), userDefined: null };
  function* change(whole: string): Steps<string> {
    return decoder.decode(yield* normalize(normalizer, utf8.encode(whole)));
  }
  return function* ({ text: whole, head }) {
    const out = yield* change(whole);
    if (head === 0 || out === '') return { text: out, head: 0 };
    // Where the rules remove the first characters, Hugging Face's library gives their offset to the next one.
    const first = String.fromCodePoint(out.codePointAt(0) as number).length;
    return { text: out, head: Math.max(first, (yield* change(whole.slice(0, head))).length) };
  };
}

/** @throws RangeError for text that is not base64 */
export function base64(value: unknown): Uint8Array<ArrayBuffer> {
  if (typeof value !== 'string' || value === '') throw new RangeError('a precompiled_charsmap that is not a text');
  try {
    return Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
  } catch {
    throw new RangeError('a precompiled_charsmap that is not base64');
  }
}

function strip(left: boolean, right: boolean): Normalizer {
  return function* ({ text: whole, head }) {
    const trimmed = right ? yield* trimEnd(whole, WHITE_SPACE) : whole;
    const pace = new Pace();
    let start = 0;
    while (left && start < trimmed.length && WHITE_SPACE.test(trimmed[start])) {
      start++;
      if (pace.isPartDone(1)) yield;
    }
    return { text: trimmed.slice(start), head: Math.max(0, Math.min(head, trimmed.length) - start) };
  };
}

/** A text without the characters at its end that a pattern matches, in linear time, which a pattern with `+$` does not take. */
export function* trimEnd(text: string, pattern: RegExp): Steps<string> {
  const pace = new Pace();
  let end = text.length;
  while (end > 0 && pattern.test(text[end - 1])) {
    end--;
    if (pace.isPartDone(1)) yield;
  }
  return text.slice(0, end);
}

/** The step that writes a text in place of each match. */
export function replace(pattern: Pattern, content: string): Normalizer {
  return function* ({ text: whole, head }) {
    let [from, newHead] = [0, 0];
    const out: string[] = [];
    const pace = new Pace();
    for (const match of pattern.find(whole)) {
      if (match === undefined) {
        yield;
        continue;
      }
      if (pace.isPartDone(match.index + match[0].length - from)) yield;
      const end = match.index + match[0].length;
      const kept = whole.slice(from, match.index);
      // What replaces a match has the offset of the match's last character.
      if (end <= head) newHead += kept.length + content.length;
      else if (from <= head) newHead += Math.max(0, Math.min(head, match.index) - from);
      out.push(kept, content);
      from = end;
    }
    out.push(whole.slice(from));
    return { text: out.join(''), head: from < head ? newHead + head - from : newHead };
  };
}

// The rules of `do_nmt` in tokenizers/src/normalizers/unicode.rs.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const REMOVED = /[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]/g;
const SPACES = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g;

const nmt = (whole: string) => whole.replace(REMOVED, '').replace(SPACES, ' ');
