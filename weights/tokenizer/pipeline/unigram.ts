import { trieOf } from '../piece-trie';
import { append, Pace, type Steps } from '../steps';
import { bestPath, type UnigramModel } from '../viterbi';
import { PieceType, type Vocabulary } from '../vocabulary';
import { bytePieces } from './bpe';
import type { WordModel } from './word-model';

/**
 * A unigram model as tokenizers/src/models/unigram has it: sums in float64, and every ordinary piece counts for the least score.
 * It differs from SentencePiece only where two paths are almost equally good.
 *
 * @throws RangeError on a vocabulary that cannot be
 */
export function unigramModel(vocabulary: Vocabulary): WordModel {
  const { pieces, types, scores, unknownId } = vocabulary;
  const isOrdinary = (id: number) => types[id] !== PieceType.control && id !== unknownId;
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  let minScore = Infinity;
  for (const score of scores) minScore = Math.min(minScore, score);
  const model: UnigramModel = {
    trie: trieOf(pieces, isOrdinary),
    scores: Float64Array.from(scores),
    isUserDefined: () => false,
    unknownId,
    minScore,
    maxScore: 0,
  };
  const [utf8, decoder] = [new TextEncoder(), new TextDecoder('utf-8', { ignoreBOM: true })];
  function* encode(word: string): Steps<number[]> {
    const bytes = utf8.encode(word);
    const path = yield* bestPath(model, bytes);
    const encoded: number[] = [];
    const pace = new Pace();
    for (let i = 0; i < path.length; i += 2) {
      if (pace.isPartDone(1)) yield;
      if (path[i + 1] !== unknownId) {
        encoded.push(path[i + 1]);
        continue;
      }
      const start = path[i];
      while (path[i + 3] === unknownId) i += 2;
      const run = decoder.decode(bytes.subarray(start, path[i + 2] ?? bytes.length));
      // A run of unknown characters can spell a piece that has so low a score that no path took it.
      const whole = ids.get(run);
      if (whole !== undefined && isOrdinary(whole)) encoded.push(whole);
      else yield* append(encoded, (vocabulary.byteFallback ? yield* bytePieces(run, ids) : null) ?? [unknownId]);
    }
    return encoded;
  }
  return { pieces, unknownId, encode };
}
