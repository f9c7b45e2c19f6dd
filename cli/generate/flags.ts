import type { Command } from 'commander';
import {
  bundledPair,
  type DraftSource,
  draftOfSelf,
  GENERATE_OPTIONS,
  type GenerateOptions,
  LOAD_OPTIONS,
  type LoadOptions,
  parseDraft,
  type Tandem,
  withFirst,
} from '../../api';
import { flagged, listOf, type OptionTable, printable, text, whole } from '../../common';
import { NOT_FOLLOWED } from '../../decoding';
import type { Dtype } from '../../kernels';
import { CommandError } from '../failure';
import { addFlags, addRefusedFlags, type Conflict, checkConflicts, flagName, optionsOf } from '../flags';
import { SETTINGS_FLAG, type SettingsFlag } from '../settings';
import { VERBOSITY, type Verbosity } from '../verbosity';

/** Flags that say what is loaded. */
export interface LoadFlags extends Verbosity, Omit<LoadOptions, 'draft' | 'signal' | 'onProgress' | 'worker'> {
  readonly model?: string;
  readonly draft?: readonly string[];
  readonly draftDtype?: Dtype;
  readonly draftRevision?: string;
}

/** Flags of `tandem generate`: the options of loading and of decoding, by the same names, and those of the command itself. */
export interface GenerateFlags extends LoadFlags, SettingsFlag, Omit<GenerateOptions, 'signal' | 'trace'> {
  readonly file?: string;
  readonly document?: string;
  readonly ids?: readonly number[];
  readonly trace?: string;
  readonly plain?: boolean;
  readonly special?: boolean;
  readonly json?: boolean;
  readonly compare?: boolean;
  /** Undefined: as the terminal and the environment say. */
  readonly color?: boolean;
}

/** The target, as most commands name it. */
export const MODEL_FLAG: OptionTable = {
  model: {
    ...text(1),
    about: 'the target: a checkpoint directory or a hub id, as google/flan-t5-small (default: the bundled pair)',
    flag: '-m, --model <name>',
  },
};

/** What is decoded. */
const INPUT_FLAGS: OptionTable = {
  file: { ...text(1), about: 'decode each line of a file of UTF-8 text', flag: '-f, --file <path>' },
  document: {
    ...text(1),
    about: 'decode a file of UTF-8 text as one input, newlines and all; - is standard input',
    flag: '--document <path>',
  },
  ids: { ...listOf(whole(0), 'token ids, as 5,17,1', 1), about: 'source ids in place of text', flag: '--ids <ids>' },
  plain: {
    ...flagged,
    about: 'take special tokens that the input spells out, such as <extra_id_0>, as plain text',
    flag: '--plain',
  },
  ...MODEL_FLAG,
};

/** Options of models that draft, which a program gives beside the model: `{ model, dtype, revision }`. */
export const DRAFT_FLAGS: OptionTable = {
  draftDtype: {
    ...LOAD_OPTIONS.dtype,
    about: 'type of the draft’s weights in memory (default: as --dtype, else as stored)',
    flag: '--draft-dtype <type>',
  },
  draftRevision: {
    ...LOAD_OPTIONS.revision,
    about: 'branch, tag or commit of the draft on the hub (default: main)',
    flag: '--draft-revision <name>',
  },
};

/** What is printed. */
const OUTPUT_FLAGS: OptionTable = {
  trace: {
    ...text(1),
    about: 'write every round as data to a file: one JSON object a line for each result',
    flag: '--trace <path>',
  },
  json: { ...flagged, about: 'print one JSON object for each line of the input', flag: '--json' },
  special: { ...flagged, about: 'show special tokens, such as <extra_id_0>, in the text', flag: '--special' },
  compare: {
    ...flagged,
    about:
      'decode each input without the draft too, and report, with --quiet too, whether texts are equal and what was gained',
    flag: '--compare',
  },
};

const { trace: _recorder, ...DECODING_FLAGS } = GENERATE_OPTIONS;

/** Puts every flag of `tandem generate` on a command. */
export function addGenerateFlags(command: Command): Command {
  command.description('decode text; without a subcommand, show examples of the bundled pair');
  const tables = [INPUT_FLAGS, SETTINGS_FLAG, LOAD_OPTIONS, DRAFT_FLAGS, DECODING_FLAGS, OUTPUT_FLAGS, VERBOSITY];
  for (const table of tables) addFlags(command, table);
  addRefusedFlags(command, NOT_FOLLOWED);
  return command
    .option('--color', 'colour tokens by where they came from (default: on a terminal)')
    .option('--no-color', 'print without colours');
}

/** Words of which the first has no effect beside the second, or contradicts it. */
const CONFLICTS: readonly Conflict[] = [
  ['--prefix', '--ids', 'ids are decoded as they are'],
  ['--plain', '--ids', 'ids are decoded as they are'],
  ['--costs', '--gamma auto', 'it learns them'],
  ['--branching', '--gamma auto', 'its length is γ'],
  ['--gamma auto', '--num-beams', 'a beam search does not adapt γ'],
  ['--compare', '--num-beams', 'only sampling and greedy decoding are compared'],
  ['--compare', '--num-return-sequences', 'one sequence is compared'],
  ['--trace', '--num-beams', 'a beam search has no trace'],
  ['--trace', '--num-return-sequences', 'a trace is of one sequence'],
  ['--concurrency', '--compare', 'times are compared one input at a time'],
  ['--concurrency', '--trace', 'a trace is of one input'],
  ['--color', '--json', 'JSON has no colours'],
];

/** What has no effect where nothing drafts. */
const NEEDS_DRAFT = ['--gamma', '--gamma auto', '--costs', '--branching', '--lenience', '--compare'];

/** Refuses flags that contradict each other or would have no effect. What options alone decide, decoding itself refuses. */
export function checkGenerateFlags(flags: GenerateFlags): void {
  const given = wordsOf(flags);
  checkConflicts(given, CONFLICTS);
  checkLoadFlags(flags);
  if (given.has('--log-probs') && !flags.json) {
    throw new CommandError(
      'argument-invalid',
      'expected --json beside --log-probs, found text, which has no place for them',
    );
  }
  if (flags.draft?.length === 0) refuseWithoutDraft(given, '--draft none');
}

/** Refuses flags that have no effect where nothing drafts, once it is known whether the target drafts for itself. */
export function checkDrafted(flags: GenerateFlags, { target, drafter }: Pick<Tandem, 'target' | 'drafter'>): void {
  if (drafter !== null) return;
  refuseWithoutDraft(
    wordsOf(flags),
    `none: ${printable(target.name)} in ${target.dtype} does not draft for itself unasked (--draft self)`,
  );
}

function refuseWithoutDraft(given: ReadonlySet<string>, found: string): void {
  const lone = NEEDS_DRAFT.find((word) => given.has(word));
  if (lone !== undefined) throw new CommandError('argument-invalid', `expected a draft beside ${lone}, found ${found}`);
}

/** Refuses flags of loading that would have no effect. */
export function checkLoadFlags({ model, draft, revision, draftDtype, draftRevision }: LoadFlags): void {
  if (revision !== undefined && model === undefined) {
    throw new CommandError('argument-invalid', 'expected --model beside --revision, found none');
  }
  const own = draftDtype !== undefined ? '--draft-dtype' : draftRevision !== undefined ? '--draft-revision' : undefined;
  if (own === undefined || (draft ?? []).some(hasModel)) return;
  const isBundled = draft === undefined && model === undefined && own === '--draft-dtype';
  if (!isBundled) throw new CommandError('argument-invalid', `expected a model in --draft beside ${own}, found none`);
}

/** Whether a model drafts, for the target or for its draft. */
export function hasModel(draft: string): boolean {
  return withFirst([parseDraft(draft)]).some(({ kind }) => kind === 'model');
}

/** The flags that were given with an effect, as they are typed. */
function wordsOf({ gamma, numBeams = 1, numReturnSequences = 1, ...flags }: GenerateFlags): ReadonlySet<string> {
  const rest = Object.entries(flags).filter(([, value]) => value !== undefined && value !== false);
  const words = new Set(rest.map(([name]) => flagName(name)));
  if (gamma === 'auto') words.add('--gamma auto');
  else if (gamma !== undefined && gamma > 0) words.add('--gamma');
  if (numBeams > 1) words.add('--num-beams');
  if (numReturnSequences > 1) words.add('--num-return-sequences');
  return words;
}

/** The options of loading among the flags. Each model that drafts has the type and the revision that are given for drafts. */
export async function loadOptions(flags: LoadFlags): Promise<LoadOptions> {
  const { draftDtype: dtype, draftRevision: revision, model } = flags;
  const options: LoadOptions = optionsOf(flags, LOAD_OPTIONS);
  if (dtype === undefined && revision === undefined) return options;
  const names = flags.draft ?? (model === undefined ? [`model:${(await bundledPair()).draft}`] : []);
  const withOwn = (name: string): DraftSource => {
    const plan = parseDraft(name);
    const first = draftOfSelf(name);
    if (plan.kind === 'model') return { model: plan.model, dtype, revision };
    return plan.kind === 'self' && first !== null ? { self: plan.dtype, draft: withOwn(first) } : (name as DraftSource);
  };
  const draft = names.map(withOwn);
  return { ...options, draft };
}

/** The options of decoding among the flags. */
export function generateOptions({ trace: _file, ...flags }: GenerateFlags): GenerateOptions {
  return {
    ...optionsOf(flags, GENERATE_OPTIONS),
    ...(flags.plain && { parseSpecial: false }),
    ...(flags.special && { skipSpecialTokens: false }),
  };
}
