import type { Command, Option } from 'commander';
import { choicesOf } from '../flags';

/** What can stand in a place of the command line. `any` is what no shell can know. */
export interface Values {
  readonly words: readonly string[];
  readonly also: 'files' | 'directories' | 'any';
}

export interface FlagWords {
  /** As they are typed: `-m` and `--model`. */
  readonly names: readonly string[];
  readonly about: string;
  /** Null for a flag without a value. */
  readonly values: Values | null;
}

/** A command, or a subcommand, and what may follow it. */
export interface CommandWords {
  /** `generate`, or `ngram build`. */
  readonly path: string;
  readonly about: string;
  readonly flags: readonly FlagWords[];
  /** What its arguments are, beside the names of subcommands. */
  readonly values: Values;
  readonly subcommands: readonly string[];
}

/** Every command of a program, subcommands included; the program itself has the path ''. */
export function wordsOf(program: Command, path = ''): CommandWords[] {
  const { commands } = program;
  const inner = commands.flatMap((command) => wordsOf(command, `${path} ${command.name()}`.trim()));
  const flags = program.options.filter(({ hidden }) => !hidden).map(flagWords);
  const help: FlagWords = { names: ['-h', '--help'], about: 'display help', values: null };
  const own: CommandWords = {
    ...{ path, about: firstPart(program.description()), flags: [...flags, help] },
    values: argumentValues(program),
    subcommands: commands.map((command) => command.name()),
  };
  return [own, ...inner];
}

/** Flags of the program itself, which stand where a command would. `--help` is every command's. */
export function flagsOfProgram(commands: readonly CommandWords[]): string[] {
  const own = commands.find(({ path }) => path === '')?.flags ?? [];
  return own.flatMap(({ names }) => (names.includes('--help') ? [] : names));
}

function flagWords(option: Option): FlagWords {
  const names = [option.short, option.long].filter((name) => name !== undefined);
  const values = option.required || option.optional ? flagValues(option) : null;
  return { names, about: firstPart(option.description), values };
}

/** Drafts that have names, without those that need a number or a file. */
const DRAFTS = ['none', 'self', 'copy', 'ngram', 'random', 'layers:', 'ngram:'];

function flagValues(option: Option): Values {
  if (option.long === '--draft') return { words: DRAFTS, also: 'directories' };
  if (option.long === '--model') return { words: [], also: 'directories' };
  return { words: choicesOf(option), also: /<path>/.test(option.flags) ? 'files' : 'any' };
}

/** What the arguments of a command are, by the names that the help gives them. */
function argumentValues(command: Command): Values {
  const [argument] = command.registeredArguments;
  const name = argument?.name();
  const words = argument?.argChoices ?? [];
  return { words, also: name === 'model' ? 'directories' : /^files?$|^pairs$/.test(name ?? '') ? 'files' : 'any' };
}

/** A description as a list of completions has room for. */
function firstPart(text: string): string {
  return text.split(/[:;(]/)[0].trim();
}
