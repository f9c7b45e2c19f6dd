import { type Command, Option } from 'commander';
import { type OptionEntry, type OptionTable, quoted } from '../common';
import { CommandError } from './failure';

/**
 * Puts the flags of a table on a command: its rows say what a flag is called, what it means and what it accepts. A row without
 * `flag` is for programs only. A row that takes text and has no parser may be given several times; its value is a list.
 */
export function addFlags(command: Command, table: OptionTable): Command {
  for (const [name, entry] of Object.entries(table)) {
    if (entry.flag !== undefined) command.addOption(flagOf(name, entry, entry.flag));
  }
  return command;
}

const CHOICES = new WeakMap<Option, readonly string[]>();

/** The words among which a flag's value is chosen; none where it is not so. */
export function choicesOf(option: Option): readonly string[] {
  return CHOICES.get(option) ?? [];
}

function flagOf(name: string, entry: OptionEntry, flag: string): Option {
  const option = new Option(flag, entry.about);
  CHOICES.set(option, entry.choices ?? []);
  // commander takes a flag that begins with --no- for the opposite of another one, as --no-color is; an option that is called
  // noRepeatNgramSize is not.
  if (/^no[A-Z]/.test(name)) option.negate = false;
  if (option.required || option.optional) option.argParser((text, earlier) => parsed(option, entry, text, earlier));
  return option;
}

function parsed(option: Option, { parse, expected, holds }: OptionEntry, text: string, earlier: unknown): unknown {
  if (parse === undefined) {
    const all = [...((earlier as string[] | undefined) ?? []), text];
    if (!holds(all)) throw refused(option, expected, text);
    return all;
  }
  if (earlier !== undefined) throw new CommandError('option-invalid', `${option.long}: expected once, found it twice`);
  const value = parse(text);
  if (value === null) throw refused(option, expected, text);
  return value;
}

/**
 * Flags of options that are known from elsewhere and not followed. They are not in the help; whoever gives one gets the reason.
 */
export function addRefusedFlags(command: Command, refusals: Readonly<Record<string, string>>): Command {
  for (const [name, reason] of Object.entries(refusals)) {
    const option = new Option(`${flagName(name)} [value]`).hideHelp();
    command.addOption(option).on(`option:${option.name()}`, () => {
      throw new CommandError('option-invalid', `expected flags of tandem, found ${option.long}: ${reason}`);
    });
  }
  return command;
}

function refused({ long }: Option, expected: string, text: string): CommandError {
  return new CommandError('option-invalid', `${long}: expected ${expected}, found ${quoted(text)}`);
}

/** The flag of an option, as it is typed: `--max-new-tokens` of `maxNewTokens`. */
export function flagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Two words of a command line of which the first has no effect beside the second or contradicts it, and why. */
export type Conflict = readonly [word: string, beside: string, why: string];

/** Refuses words that do not go together. */
export function checkConflicts(given: ReadonlySet<string>, conflicts: readonly Conflict[]): void {
  for (const [word, beside, why] of conflicts) {
    if (!given.has(word) || !given.has(beside)) continue;
    throw new CommandError('argument-invalid', `expected no ${word} beside ${beside}, found both: ${why}`);
  }
}

/** The values of those flags that are options of a table, to hand on to the function whose options they are. */
export function optionsOf(values: object, table: OptionTable): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => Object.hasOwn(table, name)));
}
