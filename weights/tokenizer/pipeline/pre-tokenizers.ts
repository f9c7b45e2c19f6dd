import { type Json, list, object, unsupported } from '../json';
import { Pace } from '../steps';
import { SPACE_SYMBOL } from '../vocabulary';
import { byteLetters } from './byte-letters';
import type { Pattern } from './match';
import { changeInPieces, type Part } from './normalizers';
import { quickPattern, readPattern } from './pattern';

/** The words of a part, each as soon as it is found; nothing where the work is interrupted. A long text has too many to keep. */
export type Words = Generator<Part | undefined, void, void>;

/** Splits a part into the words that the model encodes one by one. None of them is empty. */
export type PreTokenizer = (part: Part) => Words;

export type PrependScheme = 'always' | 'first' | 'never';

/**
 * Reads the `pre_tokenizer` of tokenizer.json: the steps of Hugging Face's library (tokenizers/src/pre_tokenizers).
 *
 * @throws RangeError that names a step that is not supported
 */
export function readPreTokenizer(value: unknown): PreTokenizer {
  if (value === null || value === undefined) return whole;
  const step = object(value, 'pre_tokenizer');
  const known = typeof step.type === 'string' && Object.hasOwn(PRE_TOKENIZERS, step.type);
  if (!known) throw unsupported('pre_tokenizer', step.type);
  return PRE_TOKENIZERS[step.type as string](step);
}

// GPT-2's pattern. Its `\s` is Unicode's white space, which JavaScript's is not.
const GPT2 = quickPattern(
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu,
);
const WHITE_SPACE = quickPattern(/\p{White_Space}/gu);
const DIGIT = quickPattern(/\p{N}/gu);
const PUNCTUATION = quickPattern(/[!-/:-@[-`{-~\p{P}]/gu);
// `\w+|[^\w\s]+` of Rust's regex crate.
const WORDS = quickPattern(
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu,
);

const PRE_TOKENIZERS: Readonly<Record<string, (step: Json) => PreTokenizer>> = {
  Sequence(step) {
    const all = list(step.pretokenizers, 'pretokenizers').map(readPreTokenizer);
    return (part) => inTurn(part, all);
  },
  WhitespaceSplit: () => (part) => split(part, WHITE_SPACE, 'Removed'),
  Whitespace: () => (part) => split(part, WORDS, 'Removed', true),
  Digits(step) {
    const behavior = step.individual_digits === true ? 'Isolated' : 'Contiguous';
    return (part) => split(part, DIGIT, behavior);
  },
  Punctuation(step) {
    const behavior = readBehavior(step.behavior ?? 'Isolated');
    return (part) => split(part, PUNCTUATION, behavior);
  },
  BertPreTokenizer: () => (part) =>
    inTurn(part, [(one) => split(one, WHITE_SPACE, 'Removed'), (one) => split(one, PUNCTUATION, 'Isolated')]),
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
    return function* ({ text, head }) {
      const spaced =
        addSpace && text !== '' && !text.startsWith(' ')
          ? { text: ` ${text}`, head: head && head + 1 }
          : { text, head };
      for (const part of splits ? split(spaced, GPT2, 'Isolated') : whole(spaced)) {
        if (part === undefined) yield;
        else yield { ...part, text: yield* changeInPieces(part.text, byteLetters) };
      }
    };
  },
};

function* whole(part: Part): Words {
  if (part.text !== '') yield part;
}

/** Splits with each pre-tokeniser what those before it made. */
function* inTurn(part: Part, [first, ...others]: readonly PreTokenizer[]): Words {
  if (first === undefined) return yield* whole(part);
  for (const word of first(part)) {
    if (word === undefined) yield;
    else yield* inTurn(word, others);
  }
}

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
  return function* (part) {
    if (part.text === '') return;
    let text = yield* changeInPieces(part.text, (piece) => piece.replaceAll(' ', symbol));
    const isHere = scheme === 'always' || (scheme === 'first' && part.head > 0);
    if (isHere && !text.startsWith(symbol)) text = symbol + text;
    yield* splits ? split({ ...part, text }, pattern, 'MergedWithNext') : whole({ ...part, text });
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
  readonly start: number;
  readonly end: number;
  readonly isMatch: boolean;
}

/** Splits as `NormalizedString::split` does. With `invert`, what lies between matches counts as a match. */
function* split(part: Part, pattern: Pattern, behavior: Behavior, invert = false): Words {
  const pace = new Pace();
  const wordOf = ({ start, end }: Piece) => ({
    text: part.text.slice(start, end),
    head: Math.max(0, part.head - start),
  });
  let last: Piece | null = null;
  for (const piece of piecesOf(part.text, pattern, invert)) {
    if (piece === undefined) {
      yield;
      continue;
    }
    if (pace.isPartDone(piece.end - piece.start)) yield;
    if (behavior === 'Removed' && piece.isMatch) continue;
    if (last !== null && joins(behavior, last, piece)) last = { ...piece, start: last.start };
    else {
      if (last !== null) yield wordOf(last);
      last = piece;
    }
  }
  if (last !== null) yield wordOf(last);
}

/** Whether a piece is joined to the one before it. Of several matches in a row only the nearest to other text is. */
function joins(behavior: Behavior, last: Piece, piece: Piece): boolean {
  if (behavior === 'Contiguous') return last.isMatch === piece.isMatch;
  if (behavior === 'MergedWithPrevious') return piece.isMatch && !last.isMatch;
  return behavior === 'MergedWithNext' && last.isMatch && !piece.isMatch;
}

function* piecesOf(text: string, pattern: Pattern, invert: boolean): Generator<Piece | undefined, void> {
  let from = 0;
  for (const match of pattern.find(text)) {
    if (match === undefined) {
      yield;
      continue;
    }
    const end = match.index + match[0].length;
    if (match.index > from) yield { start: from, end: match.index, isMatch: invert };
    yield { start: match.index, end, isMatch: !invert };
    from = end;
  }
  if (from < text.length) yield { start: from, end: text.length, isMatch: invert };
}
