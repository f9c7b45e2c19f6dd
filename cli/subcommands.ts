import type { Command } from 'commander';
import { nearest, quoted } from '../common';
import { CommandError } from './failure';

/** The subcommand that runs where the first argument is a flag or there is none. */
export const DEFAULT_COMMAND = 'generate';

/** The words that name subcommands of a command; commander adds `help`. */
function namesOf(command: Command): string[] {
  return ['help', ...command.commands.map((one) => one.name())];
}

/**
 * Refuses a first argument that is neither a flag nor a subcommand, and a second one after `help` or a command that has subcommands.
 * A text always follows `generate`, so that a misspelt subcommand is never decoded as a text.
 */
export function checkSubcommand(args: readonly string[], program: Command): void {
  const [first, second] = args;
  checkWord(first, namesOf(program));
  if (first === 'help') checkWord(second, namesOf(program));
  const parent = program.commands.find((one) => one.name() === first);
  if (second === undefined || !parent?.commands.length || second.startsWith('-') || namesOf(parent).includes(second))
    return;
  const [, ...names] = namesOf(parent);
  throw new CommandError(
    'argument-invalid',
    `${first}: expected a subcommand, ${names.join(', ')}, found ${quoted(second)}`,
  );
}

function checkWord(word: string | undefined, known: readonly string[]): void {
  if (word === undefined || word.startsWith('-') || known.includes(word)) return;
  const near = nearest(word, known);
  const hint = near ? `did you mean '${near}'?` : `known are ${known.join(', ')}`;
  throw new CommandError('argument-invalid', `unknown command ${quoted(word)}; ${hint} (a text: tandem generate TEXT)`);
}

/** Refuses words where `generate` was not typed. */
export function checkWords(words: readonly string[], named: boolean): void {
  if (named || words.length === 0) return;
  throw new CommandError('argument-invalid', `expected 'generate' before a text, found ${quoted(words[0])} without it`);
}
