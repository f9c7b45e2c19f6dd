import { openCharsmap } from '../charsmap';
import { type Json, list, object, text, unsupported } from '../json';
import { normalize } from '../normalize';
import { atOnce } from '../steps';
import { byteLetters } from './byte-letters';
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

export type Normalizer = (part: Part) => Part;

const WHITE_SPACE = /^\p{White_Space}$/u;

/**
 * Reads the `normalizer` of tokenizer.json: the steps of Hugging Face's library (tokenizers/src/normalizers).
 *
 * @throws RangeError that names a step that is not supported
 */
export function readNormalizer(value: unknown): Normalizer {
  if (value === null || value === undefined) return (part) => part;
  const step = object(value, 'normalizer');
  const read = typeof step.type === 'string' && Object.hasOwn(NORMALIZERS, step.type) ? NORMALIZERS[step.type] : null;
  if (read === null) throw unsupported('normalizer', step.type);
  return read(step);
}

const NORMALIZERS: Readonly<Record<string, (step: Json) => Normalizer>> = {
  Sequence(step) {
    const all = list(step.normalizers, 'normalizers').map(readNormalizer);
    return (part) => all.reduce((current, one) => one(current), part);
  },
  NFC: () => ofText((whole) => whole.normalize('NFC')),
  NFD: () => ofText((whole) => whole.normalize('NFD')),
  NFKC: () => ofText((whole) => whole.normalize('NFKC')),
  NFKD: () => ofText((whole) => whole.normalize('NFKD')),
  Nmt: () => ofText(nmt),
  // Letter by letter: in Rust a final sigma does not depend on its place.
  Lowercase: () => ofText((whole) => whole.replace(/\p{Changes_When_Lowercased}/gu, (letter) => letter.toLowerCase())),
  StripAccents: () => ofText((whole) => whole.replace(/\p{M}/gu, '')),
  ByteLevel: () => ofText(byteLetters),
  Precompiled: (step) => charsmapNormalizer(base64(step.precompiled_charsmap)),
  Strip: (step) => strip(step.strip_left !== false, step.strip_right !== false),
  Prepend(step) {
    const prefix = text(step.prepend, 'normalizer Prepend');
    return (part) =>
      part.text === '' ? part : { text: prefix + part.text, head: part.head && part.head + prefix.length };
  },
  Replace: (step) => replace(readPattern(step.pattern, 'normalizer Replace'), text(step.content, 'normalizer Replace')),
};

/** The step for a function of texts that maps a beginning to a beginning. */
function ofText(change: (whole: string) => string): Normalizer {
  return ({ text: whole, head }) => ({
    text: change(whole),
    head: head === 0 ? 0 : change(whole.slice(0, head)).length,
  });
}

/** SentencePiece's own table of replacements. */
export function charsmapNormalizer(bytes: Uint8Array): Normalizer {
  const [utf8, decoder] = [new TextEncoder(), new TextDecoder('utf-8', { ignoreBOM: true })];
  const spec = { charsmap: bytes, addDummyPrefix: false, removeExtraWhitespaces: false, escapeWhitespaces: false };
  const normalizer = { spec, charsmap: bytes.length === 0 ? null : openCharsmap(bytes), userDefined: null };
  const change = (whole: string) => decoder.decode(atOnce(normalize(normalizer, utf8.encode(whole))));
  return ({ text: whole, head }) => {
    const out = change(whole);
    if (head === 0 || out === '') return { text: out, head: 0 };
    // Where the rules remove the first characters, Hugging Face's library gives their offset to the next one.
    const first = String.fromCodePoint(out.codePointAt(0) as number).length;
    return { text: out, head: Math.max(first, change(whole.slice(0, head)).length) };
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
  return ({ text: whole, head }) => {
    let [start, end] = [0, whole.length];
    if (left) while (start < end && WHITE_SPACE.test(whole[start])) start++;
    if (right) while (end > start && WHITE_SPACE.test(whole[end - 1])) end--;
    return { text: whole.slice(start, end), head: Math.max(0, Math.min(head, end) - start) };
  };
}

function replace(pattern: RegExp, content: string): Normalizer {
  return ({ text: whole, head }) => {
    let [out, from, newHead] = ['', 0, 0];
    for (const match of whole.matchAll(pattern)) {
      const end = match.index + match[0].length;
      const kept = whole.slice(from, match.index);
      // What replaces a match has the offset of the match's last character.
      if (end <= head) newHead += kept.length + content.length;
      else if (from <= head) newHead += Math.max(0, Math.min(head, match.index) - from);
      out += kept + content;
      from = end;
    }
    return { text: out + whole.slice(from), head: from < head ? newHead + head - from : newHead };
  };
}

// The rules of `do_nmt` in tokenizers/src/normalizers/unicode.rs.
const REMOVED: readonly (readonly [number, number])[] = [
  [0x01, 0x08],
  [0x0b, 0x0b],
  [0x0e, 0x1f],
  [0x7f, 0x7f],
  [0x8f, 0x8f],
  [0x9f, 0x9f],
];
const SPACES = new Set('\t\n\f\r\u1680\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u2581\ufeff\ufffd');

function nmt(whole: string): string {
  let out = '';
  for (const character of whole) {
    const code = character.charCodeAt(0);
    if (REMOVED.some(([first, last]) => code >= first && code <= last)) continue;
    out += SPACES.has(character) ? ' ' : character;
  }
  return out;
}
