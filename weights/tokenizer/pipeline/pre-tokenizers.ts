import { type Json, list, object, unsupported } from '../json';
import { SPACE_SYMBOL } from '../vocabulary';
import { byteLetters } from './byte-letters';
import type { Part } from './normalizers';
import { readPattern } from './pattern';

/** Splits a part into the parts that the model encodes one by one. None of them is empty. */
export type PreTokenizer = (part: Part) => Part[];

export type PrependScheme = 'always' | 'first' | 'never';

/**
 * Reads the `pre_tokenizer` of tokenizer.json: the steps of Hugging Face's library (tokenizers/src/pre_tokenizers).
 *
 * @throws RangeError that names a step that is not supported
 */
export function readPreTokenizer(value: unknown): PreTokenizer {
  if (value === null || value === undefined) return (part) => (part.text === '' ? [] : [part]);
  const step = object(value, 'pre_tokenizer');
  const known = typeof step.type === 'string' && Object.hasOwn(PRE_TOKENIZERS, step.type);
  if (!known) throw unsupported('pre_tokenizer', step.type);
  return PRE_TOKENIZERS[step.type as string](step);
}

// GPT-2's pattern. Its `\s` is Unicode's white space, which JavaScript's is not.
const GPT2 =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
const PUNCTUATION = /[!-/:-@[-`{-~\p{P}]/gu;
// `\w+|[^\w\s]+` of Rust's regex crate.
const WORDS =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu;

const PRE_TOKENIZERS: Readonly<Record<string, (step: Json) => PreTokenizer>> = {
  Sequence(step) {
    const all = list(step.pretokenizers, 'pretokenizers').map(readPreTokenizer);
    return (part) => all.reduce((parts, one) => parts.flatMap(one), part.text === '' ? [] : [part]);
  },
  WhitespaceSplit: () => (part) => split(part, /\p{White_Space}/gu, 'Removed'),
  Whitespace: () => (part) => split(part, WORDS, 'Removed', true),
  Digits(step) {
    const behavior = step.individual_digits === true ? 'Isolated' : 'Contiguous';
    return (part) => split(part, /\p{N}/gu, behavior);
  },
  Punctuation(step) {
    const behavior = readBehavior(step.behavior ?? 'Isolated');
    return (part) => split(part, PUNCTUATION, behavior);
  },
  BertPreTokenizer: () => (part) =>
    split(part, /\p{White_Space}/gu, 'Removed').flatMap((word) => split(word, PUNCTUATION, 'Isolated')),
  CharDelimiterSplit(step) {
    const pattern = readPattern({ String: step.delimiter }, 'pre_tokenizer CharDelimiterSplit');
    return (part) => split(part, pattern, 'Removed');
  },
  Split(step) {
    const [pattern, behavior] = [readPattern(step.pattern, 'pre_tokenizer Split'), readBehavior(step.behavior)];
    return (part) => split(part, pattern, behavior, step.invert === true);
  },
  Metaspace(step) {
    const { replacement = SPACE_SYMBOL } = step;
    if (typeof replacement !== 'string' || replacement === '') throw unsupported('Metaspace.replacement', replacement);
    return metaspace(replacement, readPrependScheme(step), step.split !== false);
  },
  ByteLevel(step) {
    const [addSpace, splits] = [step.add_prefix_space !== false, step.use_regex !== false];
    return ({ text, head }) => {
      const spaced =
        addSpace && text !== '' && !text.startsWith(' ')
          ? { text: ` ${text}`, head: head && head + 1 }
          : { text, head };
      const parts = splits ? split(spaced, GPT2, 'Isolated') : [spaced];
      return parts.filter((part) => part.text !== '').map((part) => ({ ...part, text: byteLetters(part.text) }));
    };
  },
};

/** The `prepend_scheme` of a Metaspace step; older files have `add_prefix_space` in its place. */
export function readPrependScheme(step: Json): PrependScheme {
  if (step.add_prefix_space === false) return 'never';
  const scheme = step.prepend_scheme ?? 'always';
  if (scheme === 'always' || scheme === 'first' || scheme === 'never') return scheme;
  throw unsupported('prepend_scheme', scheme);
}

/** Writes a symbol for every space, and one in front where the scheme says so; then splits in front of every symbol. */
export function metaspace(symbol: string, scheme: PrependScheme, splits: boolean): PreTokenizer {
  const pattern = readPattern({ String: symbol }, 'Metaspace');
  return (part) => {
    if (part.text === '') return [];
    let text = part.text.replaceAll(' ', symbol);
    const isHere = scheme === 'always' || (scheme === 'first' && part.head > 0);
    if (isHere && !text.startsWith(symbol)) text = symbol + text;
    return splits ? split({ ...part, text }, pattern, 'MergedWithNext') : [{ ...part, text }];
  };
}

type Behavior = 'Removed' | 'Isolated' | 'Contiguous' | 'MergedWithPrevious' | 'MergedWithNext';

function readBehavior(value: unknown): Behavior {
  const names = ['Removed', 'Isolated', 'Contiguous', 'MergedWithPrevious', 'MergedWithNext'] as const;
  const found = names.find((name) => name === value);
  if (found === undefined) throw unsupported('the behavior of a split', value);
  return found;
}

interface Piece {
  start: number;
  end: number;
  readonly isMatch: boolean;
}

/** Splits as `NormalizedString::split` does. With `invert`, what lies between matches counts as a match. */
function split(part: Part, pattern: RegExp, behavior: Behavior, invert = false): Part[] {
  const merged: Piece[] = [];
  for (const piece of piecesOf(part.text, pattern, invert)) {
    if (behavior === 'Removed' && piece.isMatch) continue;
    const last = merged.at(-1);
    if (last !== undefined && joins(behavior, last, piece)) {
      last.end = piece.end;
      merged[merged.length - 1] = { ...last, isMatch: piece.isMatch };
    } else merged.push(piece);
  }
  return merged.map(({ start, end }) => ({ text: part.text.slice(start, end), head: Math.max(0, part.head - start) }));
}

/** Whether a piece is joined to the one before it. Of several matches in a row only the nearest to other text is. */
function joins(behavior: Behavior, last: Piece, piece: Piece): boolean {
  if (behavior === 'Contiguous') return last.isMatch === piece.isMatch;
  if (behavior === 'MergedWithPrevious') return piece.isMatch && !last.isMatch;
  return behavior === 'MergedWithNext' && last.isMatch && !piece.isMatch;
}

function piecesOf(text: string, pattern: RegExp, invert: boolean): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    const end = match.index + match[0].length;
    if (match.index > from) pieces.push({ start: from, end: match.index, isMatch: invert });
    pieces.push({ start: match.index, end, isMatch: !invert });
    from = end;
  }
  if (from < text.length) pieces.push({ start: from, end: text.length, isMatch: invert });
  return pieces;
}
