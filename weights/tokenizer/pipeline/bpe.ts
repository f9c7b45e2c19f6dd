import { quotedJson } from '../../../common';
import { type Json, list, unsupported } from '../json';
import { Pace, type Steps } from '../steps';
import { readEntries } from '../vocabulary';
import type { WordModel } from './word-model';

/** Words whose ids are kept. Text repeats its words; a hostile text cannot make the table grow. */
const MOST_CACHED = 20_000;
const LONGEST_CACHED = 64;

/** A merge of two pieces: the lower its rank, the earlier it is done. */
interface Merges {
  /** Rank of a pair, by `left × size + right`. */
  readonly ranks: ReadonlyMap<number, number>;
  /** Piece that each rank's merge gives. */
  readonly results: readonly number[];
  readonly size: number;
}

interface BpeSettings {
  readonly unknownId: number | null;
  readonly fuseUnknown: boolean;
  readonly byteFallback: boolean;
  readonly ignoreMerges: boolean;
  readonly continuingPrefix: string;
  readonly endSuffix: string;
}

/**
 * Reads the BPE model of tokenizer.json, and encodes as tokenizers/src/models/bpe does: the letters of a word, then merges in the
 * order of their ranks. The time is that of sorting the word's letters.
 *
 * @throws RangeError on a model that cannot be
 */
export function readBpe(model: Json): WordModel {
  if (model.dropout !== undefined && model.dropout !== null && model.dropout !== 0) {
    throw unsupported('dropout', model.dropout);
  }
  const { pieces, ids } = readEntries(model.vocab);
  const unknown = typeof model.unk_token === 'string' ? ids.get(model.unk_token) : undefined;
  if (typeof model.unk_token === 'string' && unknown === undefined) {
    throw new RangeError(`unk_token ${quotedJson(model.unk_token)} that is not in the vocabulary`);
  }
  const settings: BpeSettings = {
    unknownId: unknown ?? null,
    fuseUnknown: model.fuse_unk === true,
    byteFallback: model.byte_fallback === true,
    ignoreMerges: model.ignore_merges === true,
    continuingPrefix: typeof model.continuing_subword_prefix === 'string' ? model.continuing_subword_prefix : '',
    endSuffix: typeof model.end_of_word_suffix === 'string' ? model.end_of_word_suffix : '',
  };
  const merges = readMerges(model.merges, ids, settings.continuingPrefix.length);
  const cache = new Map<string, readonly number[]>();
  function* encode(word: string): Steps<readonly number[]> {
    const known = cache.get(word) ?? (settings.ignoreMerges && ids.has(word) ? [ids.get(word) as number] : undefined);
    if (known !== undefined) return known;
    const encoded = yield* mergeAll(yield* lettersOf(word, ids, settings), merges);
    if (word.length <= LONGEST_CACHED && cache.size < MOST_CACHED) cache.set(word, encoded);
    return encoded;
  }
  return { pieces, unknownId: settings.unknownId, encode };
}

function readMerges(value: unknown, ids: ReadonlyMap<string, number>, prefix: number): Merges {
  const [ranks, results, size] = [new Map<number, number>(), [] as number[], Math.max(...ids.values(), 0) + 1];
  for (const [rank, entry] of list(value, 'model.merges').entries()) {
    const pair = typeof entry === 'string' ? entry.split(' ') : list(entry, `merge ${rank}`);
    const [left, right] = pair;
    if (pair.length !== 2 || typeof left !== 'string' || typeof right !== 'string') {
      throw new RangeError(`merge ${rank} is not a pair of pieces`);
    }
    const [a, b, result] = [ids.get(left), ids.get(right), ids.get(left + right.slice(prefix))];
    if (a === undefined || b === undefined || result === undefined) {
      throw new RangeError(`merge ${rank} of ${quotedJson(left)} and ${quotedJson(right)}, which are not all pieces`);
    }
    ranks.set(a * size + b, rank);
    results[rank] = result;
  }
  return { ranks, results, size };
}

/** Ids of a word's letters. A letter that is no piece is its bytes, else unknown; without an unknown piece it is left out. */
function* lettersOf(word: string, pieces: ReadonlyMap<string, number>, settings: BpeSettings): Steps<number[]> {
  const { unknownId, fuseUnknown, byteFallback, continuingPrefix, endSuffix } = settings;
  const letters: number[] = [];
  let unknowns = 0;
  const addUnknowns = () => {
    for (let i = fuseUnknown ? Math.min(unknowns, 1) : unknowns; i > 0; i--) letters.push(unknownId as number);
    unknowns = 0;
  };
  const pace = new Pace();
  let at = 0;
  for (const character of word) {
    const isFirst = at === 0;
    at += character.length;
    const letter = (isFirst ? '' : continuingPrefix) + character + (at === word.length ? endSuffix : '');
    const id = pieces.get(letter);
    const bytes = id === undefined && byteFallback ? yield* bytePieces(letter, pieces) : null;
    if (id !== undefined) {
      addUnknowns();
      letters.push(id);
    } else if (bytes !== null) letters.push(...bytes);
    else if (unknownId !== null) unknowns++;
    if (pace.isPartDone(1)) yield;
  }
  addUnknowns();
  return letters;
}

/** The pieces `<0x00>` to `<0xFF>` of a text's UTF-8; null unless all are there. */
export function* bytePieces(text: string, pieces: ReadonlyMap<string, number>): Steps<number[] | null> {
  const ids: number[] = [];
  const pace = new Pace();
  for (const byte of new TextEncoder().encode(text)) {
    const id = pieces.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    if (id === undefined) return null;
    ids.push(id);
    if (pace.isPartDone(1)) yield;
  }
  return ids;
}

function* mergeAll(ids: number[], { ranks, results, size }: Merges): Steps<number[]> {
  const next = new Int32Array(ids.length);
  const previous = new Int32Array(ids.length);
  const pace = new Pace();
  for (let i = 0; i < ids.length; i++) {
    next[i] = i + 1;
    previous[i] = i - 1;
    if (pace.isPartDone(1)) yield;
  }
  const rankAt = (i: number) => (i < 0 || next[i] >= ids.length ? undefined : ranks.get(ids[i] * size + ids[next[i]]));
  const queue = new MergeQueue();
  const offer = (i: number) => {
    const rank = rankAt(i);
    if (rank !== undefined) queue.push(rank, i);
  };
  for (let i = 0; i < ids.length; i++) {
    offer(i);
    if (pace.isPartDone(1)) yield;
  }
  for (let top = queue.pop(); top !== null; top = queue.pop()) {
    if (pace.isPartDone(1)) yield;
    const { rank, place } = top;
    const now = ids[place] < 0 ? undefined : rankAt(place);
    // A pair that has changed since is merged only if it still gives the same piece.
    if (now === undefined || results[now] !== results[rank]) continue;
    const right = next[place];
    ids[place] = results[rank];
    ids[right] = -1;
    next[place] = next[right];
    if (next[place] < ids.length) previous[next[place]] = place;
    offer(previous[place]);
    offer(place);
  }
  const left: number[] = [];
  for (let i = 0; i < ids.length; i = next[i]) {
    left.push(ids[i]);
    if (pace.isPartDone(1)) yield;
  }
  return left;
}

/** Merges by rank, and of equal ranks by place. */
class MergeQueue {
  private readonly heap: number[] = [];

  push(rank: number, place: number): void {
    const { heap } = this;
    // Ranks are under 2^23 and places under 2^30: both fit a double.
    const value = rank * 0x4000_0000 + place;
    let at = heap.length;
    heap.push(value);
    for (let parent = (at - 1) >> 1; at > 0 && heap[parent] > value; parent = (at - 1) >> 1) {
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = value;
  }

  pop(): { readonly rank: number; readonly place: number } | null {
    const { heap } = this;
    if (heap.length === 0) return null;
    const top = heap[0];
    const last = heap.pop() as number;
    if (heap.length > 0) this.sink(last);
    const place = top % 0x4000_0000;
    return { rank: (top - place) / 0x4000_0000, place };
  }

  private sink(value: number): void {
    const { heap } = this;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && heap[child + 1] < heap[child]) child++;
      if (heap[child] >= value) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = value;
  }
}

/** Content of a `merges.txt` as the list that tokenizer.json has. */
export function mergesOfText(content: string): string[] {
  const lines = content.split('\n').map((line) => line.replace(/\r$/, ''));
  return lines.filter((line) => line !== '' && !line.startsWith('#version'));
}
