import { TandemError } from './errors';
import { nearest, quoted } from './text';

/**
 * What an option accepts. One table of such rules drives the check of a program's options, the command's flags and their
 * parsing, the help, the reference in the docs, and the test that gives every option values of wrong types.
 */
export interface OptionRule<T = unknown> {
  /** What is accepted, in words that follow "expected". */
  readonly expected: string;
  /** Whether a program's value is accepted. `undefined` never reaches it: an option left out has its default. */
  readonly holds: (value: unknown) => boolean;
  /** Reads the value from the text of a command line; null where the text is no such value. Absent: no text stands for it. */
  readonly parse?: (text: string) => T | null;
  /** Words that are accepted, where it is a choice of them: a shell completes them. */
  readonly choices?: readonly string[];
}

/** One row of a table of options. */
export interface OptionEntry extends OptionRule {
  /** One sentence for the help and for the reference; says the default. */
  readonly about: string;
  /** The command's flag, as commander writes it: `-n, --max-new-tokens <n>`. Absent: only programs can set it. */
  readonly flag?: string;
}

export type OptionTable<Names extends string = string> = Readonly<Record<Names, OptionEntry>>;

/** A whole number from `least` to `most`, or to 2⁵³ − 1, which is then not said. */
export function whole(least: number, most?: number): OptionRule<number> {
  const range = most === undefined ? `from ${least} up` : `from ${least} to ${most}`;
  const holds = (value: unknown) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= (most ?? Number.MAX_SAFE_INTEGER);
  return {
    expected: `a whole number ${range}`,
    holds,
    parse: (text) => (/^\s*[+-]?\d+\s*$/.test(text) ? accepted(Number(text), holds) : null),
  };
}

/** A finite number. `above` and `below` exclude the ends of the range. */
export function number({
  least,
  above,
  most,
  below,
}: {
  least?: number;
  above?: number;
  most?: number;
  below?: number;
} = {}): OptionRule<number> {
  const parts = [
    least !== undefined && `from ${least}`,
    above !== undefined && `above ${above}`,
    most !== undefined && (least !== undefined ? `to ${most}` : `at most ${most}`),
    below !== undefined && `below ${below}`,
  ].filter((part) => part !== false);
  const open = most === undefined && below === undefined && least !== undefined ? ' up' : '';
  const holds = (value: unknown) =>
    typeof value === 'number' &&
    Number.isFinite(value) &&
    value >= (least ?? Number.NEGATIVE_INFINITY) &&
    value > (above ?? Number.NEGATIVE_INFINITY) &&
    value <= (most ?? Number.POSITIVE_INFINITY) &&
    value < (below ?? Number.POSITIVE_INFINITY);
  return {
    expected:
      ['a number', parts.join(', ')]
        .filter((part) => part !== '')
        .join(' ')
        .replace(/,? to/, ' to') + open,
    holds,
    parse: (text) => (text.trim() === '' ? null : accepted(Number(text), holds)),
  };
}

/** One of some words. */
export function oneOf<T extends string>(...choices: readonly T[]): OptionRule<T> {
  const holds = (value: unknown) => choices.includes(value as T);
  const expected = choices.length === 1 ? choices[0] : `one of ${choices.join(', ')}`;
  return { expected, holds, parse: (text) => accepted(text as T, holds), choices };
}

export const flagged: OptionRule<boolean> = {
  expected: 'true or false',
  holds: (value) => typeof value === 'boolean',
  parse: (text) => (text === 'true' ? true : text === 'false' ? false : null),
  choices: ['true', 'false'],
};

/** Text of at least `least` characters. */
export function text(least = 0): OptionRule<string> {
  const holds = (value: unknown) => typeof value === 'string' && value.length >= least;
  return { expected: least > 0 ? 'text that is not empty' : 'text', holds, parse: (given) => accepted(given, holds) };
}

/** A list whose every item a rule accepts; a command line writes the items with commas between. */
export function listOf<T>(item: OptionRule<T>, what: string, least = 0): OptionRule<readonly T[]> {
  return {
    expected: what,
    holds: (value) => isList(value) && value.length >= least && [...value].every(item.holds),
    parse: (given) => {
      const items = given.split(',').map((part) => item.parse?.(part.trim()) ?? null);
      return items.includes(null) || items.length < least ? null : (items as T[]);
    },
  };
}

function isList(value: unknown): value is ArrayLike<unknown> & Iterable<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

export const callable: OptionRule = { expected: 'a function', holds: (value) => typeof value === 'function' };

/** An object with certain functions, such as an `AbortSignal` or a drafter. */
export function objectWith(what: string, ...methods: readonly string[]): OptionRule {
  return {
    expected: what,
    holds: (value) =>
      typeof value === 'object' &&
      value !== null &&
      methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function'),
  };
}

export const abortSignal: OptionRule = objectWith('an AbortSignal', 'addEventListener', 'removeEventListener');

/** Any of several rules. */
export function anyOf(...rules: readonly OptionRule[]): OptionRule {
  return {
    expected: rules.map((rule) => rule.expected).join(', or '),
    holds: (value) => rules.some((rule) => rule.holds(value)),
    parse: (given) => {
      for (const rule of rules) {
        const value = rule.parse?.(given) ?? null;
        if (value !== null) return value;
      }
      return null;
    },
    choices: rules.flatMap((rule) => rule.choices ?? []),
  };
}

export const nothing: OptionRule<null> = { expected: 'null', holds: (value) => value === null };

function accepted<T>(value: T, holds: (value: unknown) => boolean): T | null {
  return holds(value) ? value : null;
}

/**
 * Refuses an option that the table does not know, naming the nearest one it knows, and a value that its rule does not accept.
 * An option that is `undefined` counts as left out.
 *
 * @param where whose options they are, at the start of the message
 * @param refused names that people know from elsewhere and that no table has, each with the reason
 * @throws TandemError `option-invalid`
 */
export function checkOptions(
  options: unknown,
  table: OptionTable,
  where: string,
  refused: Readonly<Record<string, string>> = {},
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalid(where, 'an object of options', options);
  }
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(table, name) ? table[name] : undefined;
    if (value === undefined && rule) continue;
    if (!rule && Object.hasOwn(refused, name)) throw notFollowed(where, name, refused[name]);
    if (!rule) {
      const near = nearest(name, Object.keys(table));
      const known = near ? `did you mean '${near}'?` : `known are ${Object.keys(table).join(', ')}`;
      throw new TandemError('option-invalid', `${where}: unknown option ${quoted(name)}; ${known}`);
    }
    if (!rule.holds(value)) throw invalid(name, rule.expected, value);
  }
}

/** The error of an option that is known and not followed. */
export function notFollowed(where: string, name: string, reason: string): TandemError<'option-invalid'> {
  return new TandemError('option-invalid', `${where}: expected options of Tandem, found ${quoted(name)}: ${reason}`);
}

/** The error of an option: names it, what was expected and what was found. */
export function invalid(name: string, expected: string, found: unknown): TandemError<'option-invalid'> {
  return new TandemError('option-invalid', `${name}: expected ${expected}, found ${quoted(found)}`);
}
