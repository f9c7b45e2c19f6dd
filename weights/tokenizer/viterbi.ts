import type { PieceTrie } from './piece-trie';
import { PART, type Steps } from './steps';
import { characterLength } from './utf8';

/** What the search for the best path needs of a vocabulary. */
export interface UnigramModel {
  /** Normal and user-defined pieces. */
  readonly trie: PieceTrie;
  /** Float32 sums as SentencePiece does, float64 as Hugging Face's library does. */
  readonly scores: Float32Array | Float64Array;
  readonly isUserDefined: (id: number) => boolean;
  readonly unknownId: number;
  /** The least and the largest score of the normal pieces. */
  readonly minScore: number;
  readonly maxScore: number;
}

// kUnkPenalty of src/unigram_model.cc.
const UNKNOWN_PENALTY = 10;

/**
 * Finds the best segmentation of normalised UTF-8, as `Model::EncodeOptimized` of SentencePiece (src/unigram_model.cc) does:
 * with sums in the scores' own precision, and of two equal paths the one whose last piece starts first. The time is at most the
 * text's length times the longest piece's.
 *
 * @returns pairs of start and id in one list, in order
 */
export function* bestPath(model: UnigramModel, text: Uint8Array): Steps<Int32Array> {
  const { trie, scores, maxScore } = model;
  const Sums = scores instanceof Float64Array ? Float64Array : Float32Array;
  const [unknownScore] = Sums.of(model.minScore - UNKNOWN_PENALTY);
  const best = new Sums(text.length + 1); // [bytes + 1] score of the best path that ends here
  const starts = new Int32Array(text.length + 1).fill(-1); // [bytes + 1] where its last piece starts
  const ids = new Int32Array(text.length + 1); // [bytes + 1] that piece
  let looked = 0; // bytes that were looked at in this part
  const offer = (end: number, start: number, id: number, score: number) => {
    if (starts[end] !== -1 && score <= best[end]) return;
    starts[end] = start;
    ids[end] = id;
    best[end] = score;
  };
  const takeCharacter = (at: number): number => {
    const step = Math.min(characterLength(text[at]), text.length - at);
    let single = false;
    let node = 0;
    let i = at;
    for (; i < text.length; i++) {
      node = trie.child(node, text[i]);
      if (node === 0) break;
      const id = trie.end(node);
      if (id < 0) continue;
      const length = i + 1 - at;
      // A user-defined piece scores more than any normal pieces could. The sum is a double, and is stored in `best`'s type.
      const score = model.isUserDefined(id) ? length * maxScore - 0.1 : scores[id];
      offer(i + 1, at, id, score + best[at]);
      single ||= length === step;
    }
    if (!single) offer(at + step, at, model.unknownId, Sums.of(unknownScore + best[at])[0]);
    looked += i - at + 1;
    return at + step;
  };
  for (let at = 0; at < text.length; ) {
    for (looked = 0; at < text.length && looked < PART; ) at = takeCharacter(at);
    if (at < text.length) yield;
  }
  return trace(text.length, starts, ids);
}

function trace(length: number, starts: Int32Array, ids: Int32Array): Int32Array {
  let count = 0;
  for (let end = length; end > 0; end = starts[end]) count++;
  const path = new Int32Array(2 * count);
  for (let end = length, i = 2 * count - 2; end > 0; end = starts[end], i -= 2) {
    path[i] = starts[end];
    path[i + 1] = ids[end];
  }
  return path;
}
