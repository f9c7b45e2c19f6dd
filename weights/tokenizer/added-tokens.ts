import { PART, type Steps } from './steps';
import { StringTrie } from './string-trie';
import { MAX_PIECE_BYTES } from './vocabulary';

/** A token that is looked for in a text before anything else is done with it, as in Hugging Face's `AddedToken`. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Decoded text leaves it out, and `parseSpecial: false` does not look for it. */
  readonly special: boolean;
  /** It is looked for in the normalised text, by its own normalised spelling. */
  readonly normalized: boolean;
  /** It takes the white space in front of it. */
  readonly lstrip: boolean;
  /** It takes the white space after it. */
  readonly rstrip: boolean;
  /** It is found only where no word character is next to it. */
  readonly singleWord: boolean;
}

/** A part of a text between added tokens, and where it begins there; or the id of an added token. */
export type Segment = { readonly text: string; readonly start: number } | number;

/** Splits a text at added tokens. With `parseSpecial` false, special ones stay text. */
export type Splitter = (text: string, parseSpecial: boolean) => Steps<Segment[]>;

const SPACE = /^\p{White_Space}$/u;
// `\w` of Rust's regex crate, with which Hugging Face looks at the neighbours of a token.
const WORD = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;

/**
 * A function that finds added tokens as Hugging Face's `AddedVocabulary` does: the leftmost first, and of those that begin at one
 * place the longest.
 *
 * @param spellings what each token looks like in the text that is split; none twice
 * @throws RangeError for a spelling that is too long
 */
export function splitterOf(tokens: readonly AddedToken[], spellings: readonly string[]): Splitter {
  for (const spelling of spellings) {
    if (spelling.length > MAX_PIECE_BYTES) throw new RangeError(`an added token of ${spelling.length} characters`);
  }
  const trie = new StringTrie(spellings);
  return function* (text, parseSpecial) {
    if (tokens.length === 0) return text === '' ? [] : [{ text, start: 0 }];
    const segments: Segment[] = [];
    let from = 0;
    let parts = 0;
    for (let at = 0; at < text.length; ) {
      if (at >= (parts + 1) * PART) {
        parts = Math.floor(at / PART);
        yield;
      }
      const found = trie.longest(text, at);
      if (found === null) {
        at++;
        continue;
      }
      const token = tokens[found.index];
      const range = { start: at, end: found.end };
      at = found.end;
      if (token.special && !parseSpecial) continue;
      if (token.singleWord && !isSingleWord(text, range)) continue;
      const { start, end } = withSpaces(token, text, range);
      if (from < start) segments.push({ text: text.slice(from, start), start: from });
      segments.push(token.id);
      from = end;
    }
    if (from < text.length) segments.push({ text: text.slice(from), start: from });
    return segments;

    function withSpaces({ lstrip, rstrip }: AddedToken, text: string, { start, end }: Range): Range {
      let [first, last] = [Math.max(start, from), end];
      if (lstrip) while (first > from && SPACE.test(text[first - 1])) first--;
      if (rstrip) while (last < text.length && SPACE.test(text[last])) last++;
      return { start: first, end: last };
    }
  };
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function isSingleWord(text: string, { start, end }: Range): boolean {
  const before = /[\uDC00-\uDFFF]/.test(text[start - 1] ?? '')
    ? text.slice(start - 2, start)
    : text.slice(start - 1, start);
  const after = String.fromCodePoint(text.codePointAt(end) ?? 0x20);
  return !(start > 0 && WORD.test(before)) && !(end < text.length && WORD.test(after));
}
