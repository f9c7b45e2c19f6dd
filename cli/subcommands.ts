import { nearest, quoted } from '../common';
import { CommandError } from './failure';

/** The subcommand that runs where the first argument is a flag or there is none. */
export const DEFAULT_COMMAND = 'generate';

/**
 * Refuses a first argument that is neither a flag nor a subcommand. A text always follows `generate`, so that a misspelt
 * subcommand is never decoded as a text.
 */
export function checkSubcommand(args: readonly string[], known: readonly string[]): void {
  const [first] = args;
  if (first === undefined || first.startsWith('-') || known.includes(first)) return;
  const near = nearest(first, known);
  const hint = near ? `did you mean '${near}'?` : `known are ${known.join(', ')}`;
  throw new CommandError(
    'argument-invalid',
    `unknown command ${quoted(first)}; ${hint} (a text: tandem generate TEXT)`,
  );
}

/** Refuses words where `generate` was not typed. */
export function checkWords(words: readonly string[], named: boolean): void {
  if (named || words.length === 0) return;
  throw new CommandError('argument-invalid', `expected 'generate' before a text, found ${quoted(words[0])} without it`);
}
