import { invalid, Turns } from '../common';
import { EngineError, type Source } from '../engine';
import { type EncodeOptions, type Tokenizer, WeightsError } from '../weights';
import type { Loaded } from './load';
import type { GenerateOptions, Input, MaskedInput } from './types';

/** Whether an input is ids with a mask. */
export function isMasked(input: Input): input is MaskedInput {
  return typeof input === 'object' && 'mask' in input;
}

/** What the target encodes of an input: its ids, and its mask where it has one. @throws as `sourceIds` */
export function sourceOf(loaded: Loaded, input: Input, options: SourceOptions = {}): Source {
  const ids = sourceIds(loaded, input, options);
  if (!isMasked(input)) return ids;
  const { mask } = input;
  const lost = input.ids.length - ids.length;
  if (lost === 0) return { ids, mask };
  // Cutting leaves the first ids, and a closing EOS in the last place.
  const last = ids.length - 1;
  const isEosKept = loaded.target.eosTokens.includes(input.ids[input.ids.length - 1]);
  return { ids, mask: Array.from(ids, (_, i) => mask[isEosKept && i === last ? i + lost : i]) };
}

/** Options that change how an input becomes ids. */
type SourceOptions = Pick<GenerateOptions, 'truncate' | 'parseSpecial'>;

/**
 * Ids of an input: of text those of the prefix and the text with the closing EOS, of ids those ids. A source that is longer than
 * the model was made for is told once, as a notice.
 *
 * @param options `truncate` cuts a longer source to so many ids, or with true to what the model was made for; its EOS stays
 * @throws WeightsError `tokenizer-invalid` for text without a tokenizer; EngineError `source-invalid` for no tokens; TandemError
 *   `option-invalid` for true where the model does not say what it was made for
 */
export function sourceIds(loaded: Loaded, input: Input, options: SourceOptions = {}): number[] {
  const ids = cut(loaded, wholeSource(loaded, input, options), options.truncate ?? false);
  const { sourceLength } = loaded;
  if (sourceLength !== null && ids.length > sourceLength) loaded.tellLength(ids.length, sourceLength);
  return ids;
}

/**
 * The tokenizer, where text is needed.
 *
 * @throws WeightsError `tokenizer-invalid`, which names what is missing, broken or not supported
 */
export function neededTokenizer({ tokenizer, tokenizerError, target }: Loaded): Tokenizer {
  if (tokenizer !== null) return tokenizer;
  const why = tokenizerError?.message ?? `${target.name}: expected a tokenizer file for text, found none`;
  throw new WeightsError('tokenizer-invalid', `${why}; token ids can be used without one`, {
    cause: tokenizerError ?? undefined,
  });
}

/** Characters from which on the ids of a text take so long that its tokenizer has to give way in between. */
const LONG_TEXT = 1 << 16;

/**
 * The ids of a long text, made while the event loop turns; any other input as it is, which `sourceIds` takes at once. A text that is
 * refused is given back too, so that the refusal comes where an input's errors are told.
 *
 * @throws EngineError `aborted`
 */
export async function withoutLongText(
  loaded: Loaded,
  input: Input,
  { parseSpecial }: SourceOptions,
  signal?: AbortSignal,
): Promise<Input> {
  const { tokenizer, prefix } = loaded;
  if (typeof input !== 'string' || input.length < LONG_TEXT || tokenizer === null) return input;
  const ids = await idsOfText(tokenizer, prefix + input, { parseSpecial }, signal);
  return hasTokens(tokenizer, ids) ? ids : input;
}

/**
 * The ids of a text; while those of a long one are made, the event loop turns.
 *
 * @throws EngineError `aborted`
 */
export async function idsOfText(
  tokenizer: Tokenizer,
  text: string,
  options: EncodeOptions = {},
  signal?: AbortSignal,
): Promise<number[]> {
  if (text.length < LONG_TEXT || !tokenizer.encodeInParts) return tokenizer.encode(text, options);
  const turns = new Turns();
  const betweenParts = async () => {
    await turns.give();
    if (signal?.aborted) throw new EngineError('aborted', 'text: cancelled', { cause: signal.reason });
  };
  return await tokenizer.encodeInParts(text, { ...options, betweenParts });
}

/** As `withoutLongText`, of many inputs, one after the other. */
export async function withoutLongTexts(
  loaded: Loaded,
  inputs: readonly Input[],
  options: SourceOptions,
  signal: AbortSignal,
): Promise<readonly Input[]> {
  const ready = [...inputs];
  for (const [i, input] of inputs.entries()) {
    if (typeof input === 'string' && input.length >= LONG_TEXT)
      ready[i] = await withoutLongText(loaded, input, options, signal);
  }
  return ready;
}

function hasTokens(tokenizer: Tokenizer, ids: readonly number[]): boolean {
  return ids.length > tokenizer.encode('').length; // more than EOS
}

function wholeSource(loaded: Loaded, input: Input, { parseSpecial }: SourceOptions): number[] {
  if (typeof input !== 'string') return Array.from(isMasked(input) ? input.ids : input);
  const tokenizer = neededTokenizer(loaded);
  const ids = tokenizer.encode(loaded.prefix + input, { parseSpecial });
  if (!hasTokens(tokenizer, ids)) {
    throw new EngineError('source-invalid', 'text: expected at least one token, found none');
  }
  return ids;
}

function cut({ target, sourceLength }: Loaded, ids: number[], truncate: boolean | number): number[] {
  if (truncate === false) return ids;
  const most = truncate === true ? sourceLength : truncate;
  if (most === null) {
    throw invalid(
      'truncate',
      `a number of ids: ${target.name} does not say how long a source it was made for`,
      truncate,
    );
  }
  if (ids.length <= most) return ids;
  const last = ids[ids.length - 1];
  return target.eosTokens.includes(last) ? [...ids.slice(0, most - 1), last] : ids.slice(0, most);
}
