import { quotedJson } from '../../common';
import type { EncodeOptions, IncrementalDecoder, Tokenizer } from '../types';
import { type AddedToken, splitterOf } from './added-tokens';
import { cleaningDecoder } from './clean-up';
import type { StageFactory } from './pipeline/decoders';
import type { Part } from './pipeline/normalizers';
import type { Surroundings } from './pipeline/post-processor';
import type { NamedToken, TokenizerSettings } from './settings';
import { append, atOnce, type Steps } from './steps';
import { MAX_PIECES } from './vocabulary';

/** What happens to the parts of a text between added tokens. */
export interface Pipeline {
  /** As far as a part is normalised before added tokens are looked for that have `normalized`. */
  normalize(part: Part): Steps<Part>;
  /** Ids of a part after `normalize`. */
  encode(part: Part): Steps<readonly number[]>;
}

/** The parts of a tokenizer, from any kind of file. */
export interface TokenizerParts {
  readonly kind: Tokenizer['kind'];
  /** Pieces by id, added tokens among them; '' where an id has none. */
  readonly pieces: readonly string[];
  readonly added: readonly AddedToken[];
  readonly unknownId: number | null;
  /** @param hasNormalized whether there are added tokens to look for in normalised text */
  readonly pipeline: (hasNormalized: boolean) => Pipeline;
  readonly around: Surroundings;
  readonly decoder: StageFactory;
  readonly cleanUp: boolean;
}

/** ES2024, which Node has since 20: lone surrogates become U+FFFD. */
type Text = string & { toWellFormed(): string };

/** @throws RangeError on parts that do not fit each other */
export function assemble(parts: TokenizerParts): Tokenizer {
  const { kind, pieces, added, around } = parts;
  const special = new Map(added.filter((token) => token.special).map(({ content, id }) => [content, id]));
  const isSpecial = new Set(special.values());
  if (parts.unknownId !== null) isSpecial.add(parts.unknownId);
  const encodeText = encoderOf(parts);
  const [closing] = around.after;
  function* encode(text: string, { addEos = true, parseSpecial = true }: EncodeOptions = {}): Steps<number[]> {
    const ids = yield* encodeText((text as Text).toWellFormed(), parseSpecial);
    if (!addEos) return ids;
    // A text that ends in the closing token has it already.
    const isClosed = around.after.length === 1 && ids.length > 0 && ids[ids.length - 1] === closing;
    if (!isClosed) ids.push(...around.after);
    return around.before.length === 0 ? ids : [...around.before, ...ids];
  }
  let index: Map<string, number> | null = null;
  const decoderOf = (skipSpecialTokens: boolean): IncrementalDecoder => {
    const stage = parts.decoder();
    const decoder: IncrementalDecoder = {
      push(id) {
        const piece = pieces[id] ?? '';
        if (piece === '' || (skipSpecialTokens && isSpecial.has(id))) return '';
        return stage.push(piece).join('');
      },
      end: () => stage.end().join(''),
    };
    return parts.cleanUp ? cleaningDecoder(decoder) : decoder;
  };
  return {
    kind,
    vocabularySize: pieces.length,
    special,
    encode: (text, options) => atOnce(encode(text, options)),
    async encodeInParts(text, { betweenParts, ...options }) {
      for (const parts = encode(text, options); ; await betweenParts()) {
        const { done, value } = parts.next();
        if (done) return value;
      }
    },
    decode(ids, { skipSpecialTokens = true } = {}) {
      const decoder = decoderOf(skipSpecialTokens);
      return ids.map((id) => decoder.push(id)).join('') + decoder.end();
    },
    incrementalDecoder: ({ skipSpecialTokens = true } = {}) => decoderOf(skipSpecialTokens),
    piece: (id) => pieces[id] ?? '',
    id(piece) {
      index ??= new Map([...pieces.entries()].filter(([, text]) => text !== '').map(([id, text]) => [text, id]));
      return index.get(piece);
    },
  };
}

function encoderOf({ added, pipeline }: TokenizerParts): (text: string, parseSpecial: boolean) => Steps<number[]> {
  const { normalize, encode } = pipeline(added.some((token) => token.normalized));
  const asTheyAre = added.filter((token) => !token.normalized);
  const inText = splitterOf(
    asTheyAre,
    asTheyAre.map(({ content }) => content),
  );
  const normalized = added
    .filter((token) => token.normalized)
    .map((token) => ({ token, spelling: atOnce(normalize({ text: token.content, head: 0 })).text }));
  const inNormalized = splitterOf(
    normalized.map(({ token }) => token),
    normalized.map(({ spelling }) => spelling),
  );
  return function* (text, parseSpecial) {
    const ids: number[] = [];
    for (const segment of yield* inText(text, parseSpecial)) {
      if (typeof segment === 'number') {
        ids.push(segment);
        continue;
      }
      const head = segment.start === 0 ? String.fromCodePoint(segment.text.codePointAt(0) as number).length : 0;
      const part = yield* normalize({ text: segment.text, head });
      for (const inner of yield* inNormalized(part.text, parseSpecial)) {
        if (typeof inner === 'number') ids.push(inner);
        else yield* append(ids, yield* encode({ text: inner.text, head: Math.max(0, part.head - inner.start) }));
      }
    }
    return ids;
  };
}

/**
 * The added tokens of a vocabulary: those of its own file, then those that the small files add. A token of the small files that the
 * vocabulary has keeps its id; another takes the id that follows the last one, as in transformers.
 *
 * @param pieces pieces by id; new tokens are written into it
 * @param limit rows of the model's embedding: special tokens that only have a name and no row are left out
 * @throws RangeError for an id that leaves a hole
 */
export function addTokens(
  pieces: string[],
  own: readonly AddedToken[],
  settings: TokenizerSettings,
  limit: number,
): AddedToken[] {
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  const tokens = new Map(own.map((token) => [token.content, token]));
  const add = (token: NamedToken): void => {
    if (token.content === '') return;
    const id = ids.get(token.content) ?? token.id ?? pieces.length;
    if (id > pieces.length || id >= MAX_PIECES) {
      throw new RangeError(`added token ${quotedJson(token.content)} with id ${id} after ${pieces.length} pieces`);
    }
    if (ids.get(token.content) === undefined) pieces[id] = token.content;
    ids.set(token.content, id);
    tokens.set(token.content, { ...token, id });
  };
  for (const token of settings.added) add(token);
  for (const token of settings.special) {
    if (tokens.has(token.content)) continue;
    if (ids.has(token.content) || pieces.length < limit) add(token);
  }
  // A token that the small files name as end, padding or the like is special, whatever its own entry says.
  const names = new Set(settings.special.map(({ content }) => content));
  return [...tokens.values()].map((token) => (names.has(token.content) ? { ...token, special: true } : token));
}
