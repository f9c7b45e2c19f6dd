import type { IncrementalDecoder, Tokenizer } from '../types';
import { openCharsmap } from './charsmap';
import { type Normalizer, normalize } from './normalize';
import { trieOf } from './piece-trie';
import { splitter } from './special';
import { Utf8Decoder } from './utf8';
import { bestPath, type UnigramModel } from './viterbi';
import { PieceType, SPACE_SYMBOL, type Vocabulary } from './vocabulary';

const BYTE_PIECE = /^<0x([0-9A-Fa-f]{2})>$/;

/**
 * A unigram tokenizer over a vocabulary from any kind of file. Normalising, the best path and runs of unknown characters are
 * exactly as in SentencePiece.
 *
 * @param eosId the id at the end of every encoded text
 * @throws RangeError on a charsmap or vocabulary that cannot be
 */
export function unigramTokenizer(vocabulary: Vocabulary, eosId: number): Tokenizer {
  const { pieces, special } = vocabulary;
  const specialIds = new Set([...special.values(), vocabulary.unknownId]);
  const encodeText = encoderOf(vocabulary);
  const split = splitter(special);
  const byteOf = byteTable(vocabulary);
  let index: Map<string, number> | null = null;
  const decoderOf = (keepSpecial: boolean) =>
    new UnigramDecoder(vocabulary, { special: specialIds, byteOf }, keepSpecial);
  return {
    kind: 'unigram',
    vocabularySize: pieces.length,
    encode(text, options = {}) {
      const ids: number[] = [];
      for (const segment of options.parseSpecial ? split(text) : [text]) {
        if (typeof segment === 'number') ids.push(segment);
        else for (const id of encodeText(segment)) ids.push(id);
      }
      if (options.addEos ?? true) ids.push(eosId);
      return ids;
    },
    decode(ids, options = {}) {
      const decoder = decoderOf(options.keepSpecial ?? false);
      const parts = ids.map((id) => decoder.push(id));
      return parts.join('') + decoder.end();
    },
    incrementalDecoder: () => decoderOf(false),
    piece: (id) => pieces[id] ?? '',
    id(piece) {
      index ??= new Map(pieces.map((text, id) => [text, id]));
      return index.get(piece);
    },
  };
}

function encoderOf(vocabulary: Vocabulary): (text: string) => number[] {
  const { pieces, types, scores, unknownId } = vocabulary;
  const isUserDefined = (id: number) => types[id] === PieceType.userDefined;
  let [minScore, maxScore] = [Infinity, -Infinity];
  for (let id = 0; id < pieces.length; id++) {
    if (types[id] !== PieceType.normal) continue;
    minScore = Math.min(minScore, scores[id]);
    maxScore = Math.max(maxScore, scores[id]);
  }
  if (minScore > maxScore) throw new RangeError('no ordinary pieces');
  const trie = trieOf(pieces, (id) => types[id] === PieceType.normal || isUserDefined(id));
  const model: UnigramModel = { trie, scores, isUserDefined, unknownId, minScore, maxScore };
  const { normalizer: spec } = vocabulary;
  const normalizer: Normalizer = {
    spec,
    charsmap: spec.charsmap.length === 0 ? null : openCharsmap(spec.charsmap),
    userDefined: types.includes(PieceType.userDefined) ? trieOf(pieces, isUserDefined) : null,
  };
  const byteIds = byteTable(vocabulary);
  const idOfByte = new Int32Array(256).fill(unknownId);
  for (const [id, byte] of byteIds) idOfByte[byte] = id;
  const utf8 = new TextEncoder();
  return (text) => {
    const bytes = normalize(normalizer, utf8.encode(text));
    return collect(bestPath(model, bytes), bytes, unknownId, vocabulary.byteFallback ? idOfByte : null);
  };
}

// A run of unknown characters is one unknown token, or its bytes, as in SentencePieceProcessor::PopulateSentencePieceText.
function collect(path: Int32Array, bytes: Uint8Array, unknownId: number, idOfByte: Int32Array | null): number[] {
  const ids: number[] = [];
  for (let i = 0; i < path.length; i += 2) {
    const id = path[i + 1];
    if (id !== unknownId) ids.push(id);
    else if (idOfByte !== null) {
      const end = i + 2 < path.length ? path[i + 2] : bytes.length;
      for (let at = path[i]; at < end; at++) ids.push(idOfByte[bytes[at]]);
    } else if (i === 0 || path[i - 1] !== unknownId) ids.push(id);
  }
  return ids;
}

function byteTable(vocabulary: Vocabulary): ReadonlyMap<number, number> {
  const bytes = new Map<number, number>();
  if (!vocabulary.types.includes(PieceType.byte)) return bytes;
  vocabulary.pieces.forEach((piece, id) => {
    const match = vocabulary.types[id] === PieceType.byte ? BYTE_PIECE.exec(piece) : null;
    if (match !== null) bytes.set(id, Number.parseInt(match[1], 16));
  });
  return bytes;
}

/** Which ids of a vocabulary are special, and which stand for a byte. */
interface SpecialIds {
  readonly special: ReadonlySet<number>;
  readonly byteOf: ReadonlyMap<number, number>;
}

/**
 * Turns pieces into text. U+2581 becomes a space, except the one that normalising put in front of the text. Byte pieces wait until
 * their character is complete.
 */
class UnigramDecoder implements IncrementalDecoder {
  private readonly bytes = new Utf8Decoder('\uFFFD');
  private isFirst = true;

  constructor(
    private readonly vocabulary: Vocabulary,
    private readonly ids: SpecialIds,
    private readonly keepSpecial: boolean,
  ) {}

  push(id: number): string {
    const { pieces, normalizer } = this.vocabulary;
    const isSpecial = this.ids.special.has(id);
    const piece = pieces[id] ?? '';
    if (piece === '' || (isSpecial && !this.keepSpecial)) return '';
    const byte = this.ids.byteOf.get(id);
    const hasPrefix = this.isFirst && normalizer.addDummyPrefix && piece.startsWith(SPACE_SYMBOL);
    this.isFirst = false;
    if (byte !== undefined) return this.bytes.push(byte);
    const before = this.bytes.end();
    if (isSpecial) return before + piece;
    return before + (hasPrefix ? piece.slice(1) : piece).replaceAll(SPACE_SYMBOL, ' ');
  }

  end(): string {
    return this.bytes.end();
  }
}
