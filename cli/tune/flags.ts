import type { Command } from 'commander';
import { GENERATE_OPTIONS, type GenerateOptions, LOAD_OPTIONS } from '../../api';
import { flagged, listOf, type OptionTable, oneOf, text, whole } from '../../common';
import type { Dtype } from '../../kernels';
import { CommandError } from '../failure';
import { addFlags } from '../flags';
import { DRAFT_FLAGS, hasModel, type LoadFlags } from '../generate/flags';
import { VERBOSITY } from '../verbosity';

/** Flags of `tandem tune`. */
export interface TuneFlags
  extends Omit<LoadFlags, 'draft' | 'dtype'>,
    Pick<GenerateOptions, 'maxNewTokens' | 'temperature' | 'topK' | 'topP' | 'seed' | 'truncate'> {
  readonly draft?: readonly string[];
  readonly onlyGiven?: boolean;
  readonly dtypes?: readonly Dtype[];
  readonly gammas?: readonly number[];
  readonly file?: string;
  readonly limit?: number;
  readonly svg?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** The most texts that are decoded where `--limit` does not say. */
export const TEXTS = 12;

/** Parts of a draft, as --draft of other commands takes them; null for no draft and for what is none. */
function namesOf(text: string): string[] | null {
  const names = (LOAD_OPTIONS.draft.parse?.(text) ?? null) as string[] | null;
  return names === null || names.length === 0 ? null : names;
}

const FLAGS: OptionTable = {
  file: {
    ...text(1),
    about: 'texts to measure on: each line of a file of UTF-8 text (default: the examples of the bundled pair)',
    flag: '-f, --file <path>',
  },
  limit: {
    ...whole(1),
    about: `take so many of the texts, at equal distances (default: ${TEXTS})`,
    flag: '--limit <n>',
  },
  model: {
    ...text(1),
    about: 'the target: a checkpoint directory or a hub id, as google/flan-t5-small (default: the bundled pair)',
    flag: '-m, --model <name>',
  },
  draft: {
    expected: LOAD_OPTIONS.draft.expected,
    holds: (value) => Array.isArray(value) && value.every((one) => namesOf(one) !== null),
    about:
      'a draft to try beside the usual ones, which are self, self:q8:copy, copy, layers:N and the bundled pair’s own; several with commas are one draft; may be given again',
    flag: '-d, --draft <names>',
  },
  onlyGiven: { ...flagged, about: 'try no other drafts than those of --draft', flag: '--only-given' },
  dtypes: {
    ...listOf(oneOf('f32', 'bf16', 'q8'), 'some of f32, bf16, q8', 1),
    choices: ['f32', 'bf16', 'q8'],
    about: 'types of weights to try, as f32,q8: each type is another model, with texts of its own (default: as stored)',
    flag: '--dtypes <types>',
  },
  gammas: {
    ...listOf(whole(1, 64), 'whole numbers from 1 to 64', 1),
    about: 'time these γ beside the one that is predicted to be best, as 2,4,8',
    flag: '--gammas <list>',
  },
};

const OUTPUT: OptionTable = {
  svg: { ...text(1), about: 'write the picture to a file: speed-up over γ for each draft', flag: '--svg <path>' },
  out: {
    ...text(1),
    about: 'write the best setting to a file, for --settings of generate, serve and batch',
    flag: '-o, --out <path>',
  },
  json: { ...flagged, about: 'print one JSON object', flag: '--json' },
};

const { draft: _draft, dtype: _dtype, ...LOADING } = LOAD_OPTIONS;
const { maxNewTokens, temperature, topK, topP, seed, truncate } = GENERATE_OPTIONS;

/** What decodes the texts. */
export const TUNE_DECODING: OptionTable = { maxNewTokens, temperature, topK, topP, seed, truncate };

const EXAMPLES = `
For each draft: c and v (what a draft step and a target call of several rows cost), α on the texts with γ = 4, the γ that these predict to be
best, and that γ timed in turns with decoding without a draft. A draft that is not predicted to pay has γ = 0 and is not timed. Texts are decoded one
at a time: a server with many clients pays more for v.

Examples:
  tandem tune                                                          the bundled pair on its own examples
  tandem tune --model google/flan-t5-base --file texts.txt --draft google/flan-t5-small --out best.json
  tandem generate --settings best.json "Translate to German: Good morning."
  tandem tune --file texts.txt --dtypes f32,q8 --gammas 2,4,8 --svg speed.svg`;

/** Puts the argument and the flags of `tandem tune` on a command. */
export function addTuneFlags(command: Command): Command {
  command
    .description('find the fastest draft and γ for a model on your texts and this machine')
    .argument('[text...]', 'one text to measure on; `-` reads standard input, each line of which is a text');
  for (const table of [FLAGS, LOADING, DRAFT_FLAGS, TUNE_DECODING, OUTPUT, VERBOSITY]) addFlags(command, table);
  return command.addHelpText('after', EXAMPLES);
}

/** The drafts of `--draft`, each with its parts. */
export function givenDrafts({ draft = [] }: TuneFlags): string[][] {
  return draft.map((one) => namesOf(one) ?? []);
}

/** Refuses flags that contradict each other or would have no effect. */
export function checkTuneFlags(flags: TuneFlags): void {
  const { model, draft = [], onlyGiven, revision, draftDtype, draftRevision } = flags;
  if (onlyGiven && draft.length === 0) {
    throw new CommandError('argument-invalid', 'expected --draft beside --only-given, found none');
  }
  if (revision !== undefined && model === undefined) {
    throw new CommandError('argument-invalid', 'expected --model beside --revision, found none');
  }
  const own = draftDtype !== undefined ? '--draft-dtype' : draftRevision !== undefined ? '--draft-revision' : undefined;
  const isModel = givenDrafts(flags).flat().some(hasModel);
  const isBundled = model === undefined && !onlyGiven && own === '--draft-dtype';
  if (own !== undefined && !isModel && !isBundled) {
    throw new CommandError('argument-invalid', `expected a model in --draft beside ${own}, found none`);
  }
}
