import { ByteBuffer } from './byte-buffer';
import type { Charsmap } from './charsmap';
import type { PieceTrie } from './piece-trie';
import { PART, type Steps } from './steps';
import { characterLength } from './utf8';
import type { NormalizerSpec } from './vocabulary';

const SPACE = 0x20;
// U+2581 in UTF-8.
const [MARK_0, MARK_1, MARK_2] = [0xe2, 0x96, 0x81];

/** What normalising needs: the switches, the charsmap, and the user-defined pieces, which stay as they are. */
export interface Normalizer {
  readonly spec: NormalizerSpec;
  readonly charsmap: Charsmap | null;
  readonly userDefined: PieceTrie | null;
}

/**
 * Normalises UTF-8 text for the unigram model, as `Normalizer::Normalize` of SentencePiece (src/normalizer.cc) does, rule by
 * rule: it applies the charsmap, puts a space in front, removes spaces that follow a space, and writes U+2581 for a space.
 */
export function* normalize(normalizer: Normalizer, text: Uint8Array): Steps<Uint8Array> {
  const { spec } = normalizer;
  const out = new ByteBuffer(text.length + (text.length >> 2) + 8);
  const cursor = new Cursor(normalizer, text);
  const space = () => {
    if (!spec.escapeWhitespaces) return out.push(SPACE);
    out.push(MARK_0);
    out.push(MARK_1);
    out.push(MARK_2);
  };
  let started = false;
  let previousSpace = spec.removeExtraWhitespaces;
  const take = ({ from, bytes, to }: Cursor): void => {
    // Spaces in front are removed only where a rule gave nothing but one space.
    if (!started) {
      if (spec.removeExtraWhitespaces && to - from === 1 && bytes[from] === SPACE) return;
      started = true;
      if (spec.addDummyPrefix) space();
    }
    let i = from;
    while (previousSpace && i < to && bytes[i] === SPACE) i++;
    if (i < to) {
      for (let j = i; j < to; j++) bytes[j] === SPACE ? space() : out.push(bytes[j]);
      previousSpace = bytes[to - 1] === SPACE;
    }
    if (!spec.removeExtraWhitespaces) previousSpace = false;
  };
  for (let isThere = true; isThere; ) {
    for (let i = 0; i < PART && isThere; i++) {
      isThere = cursor.next();
      if (isThere) take(cursor);
    }
    if (isThere) yield;
  }
  if (spec.removeExtraWhitespaces) trimEnd(out, spec.escapeWhitespaces);
  return out.view();
}

function trimEnd(out: ByteBuffer, escaped: boolean): void {
  if (escaped) while (out.endsWith(MARK_0, MARK_1, MARK_2)) out.length -= 3;
  else while (out.last() === SPACE) out.length--;
}

/**
 * Walks through a text as `Normalizer::NormalizePrefix` does. A step takes a user-defined piece, else the longest rule that
 * matches, else one character.
 */
class Cursor {
  /** What the last step gave: `bytes` from `from` to `to`. */
  bytes: Uint8Array;
  from = 0;
  to = 0;
  private at = 0;

  constructor(
    private readonly normalizer: Normalizer,
    private readonly text: Uint8Array,
  ) {
    this.bytes = text;
  }

  /** Takes a step. Returns false at the end of the text. */
  next(): boolean {
    const { text, at } = this;
    if (at >= text.length) return false;
    const { charsmap, userDefined } = this.normalizer;
    const pieceLength = userDefined === null ? 0 : longestPiece(userDefined, text, at);
    const matched = pieceLength > 0 || charsmap === null ? 0 : charsmap.match(text, at);
    if (matched > 0 && charsmap !== null) {
      this.bytes = charsmap.replacements;
      this.from = charsmap.start;
      this.to = charsmap.end;
      this.at = at + matched;
    } else {
      this.bytes = text;
      this.from = at;
      this.at = Math.min(text.length, at + (pieceLength || characterLength(text[at])));
      this.to = this.at;
    }
    return true;
  }
}

function longestPiece(trie: PieceTrie, text: Uint8Array, at: number): number {
  let length = 0;
  let node = 0;
  for (let i = at; i < text.length; i++) {
    node = trie.child(node, text[i]);
    if (node === 0) break;
    if (trie.end(node) >= 0) length = i + 1 - at;
  }
  return length;
}
