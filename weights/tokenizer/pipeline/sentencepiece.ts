import type { Pipeline } from '../assemble';
import { openCharsmap } from '../charsmap';
import { normalize, type Normalizer as SentencePieceNormalizer } from '../normalize';
import { trieOf } from '../piece-trie';
import { PART, type Steps } from '../steps';
import { bestPath, type UnigramModel } from '../viterbi';
import { type NormalizerSpec, PieceType, type Vocabulary } from '../vocabulary';
import { charsmapNormalizer, keep } from './normalizers';

const BYTE_PIECE = /^<0x([0-9A-Fa-f]{2})>$/;
/** What normalising and splitting need of a vocabulary. */
interface Tables {
  readonly model: UnigramModel;
  readonly normalizer: SentencePieceNormalizer;
  readonly idOfByte: Int32Array | null;
}

/**
 * SentencePiece itself: normalising, the best path and runs of unknown characters are exactly as there. Every part between added
 * tokens is a text of its own.
 *
 * @throws RangeError on a charsmap or vocabulary that cannot be
 */
export function sentencePiece(vocabulary: Vocabulary, spec: NormalizerSpec): (hasNormalized: boolean) => Pipeline {
  const tables = tablesOf(vocabulary, spec);
  const { model, normalizer } = tables;
  const utf8 = new TextEncoder();
  const encodeWith = (rules: SentencePieceNormalizer) =>
    function* (part: { readonly text: string }): Steps<number[]> {
      const bytes = yield* normalize(rules, utf8.encode(part.text));
      return yield* collect(yield* bestPath(model, bytes), bytes, model.unknownId, tables.idOfByte);
    };
  return (hasNormalized) =>
    hasNormalized
      ? { normalize: charsmapNormalizer(spec.charsmap), encode: encodeWith({ ...normalizer, charsmap: null }) }
      : { normalize: keep, encode: encodeWith(normalizer) };
}

function tablesOf(vocabulary: Vocabulary, spec: NormalizerSpec): Tables {
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
  const normalizer: SentencePieceNormalizer = {
    spec,
    charsmap: spec.charsmap.length === 0 ? null : openCharsmap(spec.charsmap),
    userDefined: types.includes(PieceType.userDefined) ? trieOf(pieces, isUserDefined) : null,
  };
  const idOfByte = new Int32Array(256).fill(unknownId);
  for (const [id, byte] of bytePieces(vocabulary)) idOfByte[byte] = id;
  const model: UnigramModel = { trie, scores, isUserDefined, unknownId, minScore, maxScore };
  return { model, normalizer, idOfByte: vocabulary.byteFallback ? idOfByte : null };
}

/** The byte that each byte piece stands for, by its id. */
export function bytePieces({ pieces, types }: Vocabulary): ReadonlyMap<number, number> {
  const bytes = new Map<number, number>();
  if (!types.includes(PieceType.byte)) return bytes;
  for (const [id, piece] of pieces.entries()) {
    const match = types[id] === PieceType.byte ? BYTE_PIECE.exec(piece) : null;
    if (match !== null) bytes.set(id, Number.parseInt(match[1], 16));
  }
  return bytes;
}

// A run of unknown characters is one unknown token, or its bytes, as in SentencePieceProcessor::PopulateSentencePieceText.
function* collect(
  path: Int32Array,
  bytes: Uint8Array,
  unknownId: number,
  idOfByte: Int32Array | null,
): Steps<number[]> {
  const ids: number[] = [];
  for (let i = 0; i < path.length; i += 2) {
    if (i > 0 && i % PART === 0) yield;
    const id = path[i + 1];
    if (id !== unknownId) ids.push(id);
    else if (idOfByte !== null) {
      const end = i + 2 < path.length ? path[i + 2] : bytes.length;
      for (let at = path[i]; at < end; at++) ids.push(idOfByte[bytes[at]]);
    } else if (i === 0 || path[i - 1] !== unknownId) ids.push(id);
  }
  return ids;
}
