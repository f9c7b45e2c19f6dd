import { type Command, Option } from 'commander';
import type { DraftSource, GenerateOptions, LoadOptions } from '../../api';
import { CommandError } from '../failure';
import { counts, decimal, decimals, integer, oneOf, tokenIds } from '../flags';

/** Flags of `tandem generate`, as commander names them. */
export interface GenerateFlags {
  readonly model?: string;
  readonly draft?: string;
  readonly gamma?: number | 'auto';
  /** c, then v(1), v(2), … */
  readonly costs?: readonly number[];
  readonly branching?: readonly number[];
  readonly lenience?: number;
  readonly trace?: string;
  readonly batch?: number;
  readonly beams?: number;
  readonly lengthPenalty?: number;
  readonly earlyStopping?: string;
  readonly sequences?: number;
  readonly verification?: GenerateOptions['verification'];
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  readonly blockNgrams?: number;
  readonly minTokens?: number;
  readonly maxTokens?: number;
  readonly seed?: number;
  readonly suppress?: readonly number[];
  readonly stop?: readonly string[];
  readonly backend?: LoadOptions['backend'];
  readonly level?: string;
  readonly threads?: number;
  readonly dtype?: LoadOptions['dtype'];
  readonly type?: LoadOptions['dtype'];
  readonly prefix?: string;
  readonly revision?: string;
  readonly offline?: boolean;
  readonly file?: string;
  readonly ids?: readonly number[];
  readonly json?: boolean;
  /** Undefined: where a person looks on. */
  readonly compare?: boolean;
  readonly color?: boolean;
}

const TYPES = ['f32', 'bf16', 'q8'] as const;
const LONG_NAMES: Readonly<Record<string, string>> = { float32: 'f32', fp32: 'f32', bfloat16: 'bf16', int8: 'q8' };
const weightType = (text: string) => oneOf(...TYPES)(LONG_NAMES[text] ?? text);
const most = Number.POSITIVE_INFINITY;

/** Puts every flag of `tandem generate` on a command. */
export function addGenerateFlags(command: Command): Command {
  const flag = (flags: string, text: string, parse?: (text: string) => unknown) => {
    const option = new Option(flags, text);
    command.addOption(parse ? option.argParser(parse) : option);
  };
  flag('-m, --model <path>', 'target: a checkpoint directory or hub id (default: the bundled pair)');
  flag(
    '-d, --draft <names>',
    'draft: a checkpoint directory or hub id, layers:N (the target’s first), copy (from the source), ngram or ngram:FILE, random; several with commas are tried in turn; `none` decodes autoregressively',
  );
  const gamma = integer(0, 64);
  flag(
    '-g, --gamma <n>',
    'draft tokens proposed a round (default: 4); `auto` measures costs first and adapts',
    (text) => (text === 'auto' ? text : gamma(text)),
  );
  flag(
    '--costs <list>',
    'adapt γ by these costs, as c,v1,v2,… (as --gamma auto reports them)',
    decimals(2, 'c and at least one v, as 0.05,1,1.1'),
  );
  flag('--branching <list>', 'several candidates a place, as 3,1,1, in place of --gamma', counts);
  flag(
    '--verification <kind>',
    'token, block or coupled, all exact (default: token)',
    oneOf('token', 'block', 'coupled'),
  );
  flag(
    '--lenience <l>',
    'NOT exact below 1: draft tokens stand with probability target / (l · draft)',
    decimal(0, 1, true),
  );
  flag('-t, --temperature <t>', '0 is greedy (default: 0)', decimal(0, most));
  flag('--top-k <k>', 'sample from the k most probable tokens', integer(1));
  flag('--top-p <p>', 'sample from the most probable tokens up to this mass', decimal(0, 1, true));
  flag('--min-p <p>', 'sample from tokens with this share of the best one’s probability', decimal(0, 1));
  flag('--repetition-penalty <r>', 'make tokens that are there already less likely', decimal(0, most, true));
  flag('--block-ngrams <n>', 'no n-gram of this size comes twice', integer(1));
  flag('--min-tokens <n>', 'no end before this many tokens', integer(0));
  flag('-n, --max-tokens <n>', 'at most this many tokens come out (default: 128)', integer(1));
  flag('-s, --seed <n>', 'fixes every random number (default: 0)', integer(0));
  flag('--suppress <ids>', 'token ids never to emit, as 1,7', tokenIds);
  command.option('--stop <text>', 'end before this text; may be given again', (text: string, all: string[] = []) => [
    ...all,
    text,
  ]);
  flag(
    '-b, --backend <name>',
    'auto, wasm, cpu, gpu or reference (default: auto)',
    oneOf('auto', 'wasm', 'cpu', 'gpu', 'reference'),
  );
  flag('--level <name>', 'feature level of the backend to stay at');
  flag('--threads <n>', 'threads to compute with (default: what the machine has)', integer(1, 64));
  flag('--dtype <type>', 'keep weights as f32, bf16 or q8 (default: as stored)', weightType);
  flag('--type <type>', 'the same as --dtype', weightType);
  flag('--revision <name>', 'branch, tag or commit of a --model on the hub (default: main)');
  flag('--offline', 'take models on the hub from the cache alone');
  flag('--prefix <text>', 'put before every input (default: the bundled pair’s own, or nothing)');
  flag('-f, --file <path>', 'decode each line of a file');
  flag('--ids <ids>', 'source ids in place of text, as 5,17,1', tokenIds);
  flag('--batch <n>', 'decode so many inputs at once; texts are the same', integer(1, 1024));
  flag('--beams <n>', 'beam search of this width; a draft that is a model only saves calls', integer(1, 1024));
  flag(
    '--length-penalty <p>',
    'of a beam’s score, Σ log p / length ^ p (default: 1)',
    decimal(Number.NEGATIVE_INFINITY, most),
  );
  flag(
    '--early-stopping <when>',
    'of beam search: true, false or never (default: false)',
    oneOf('true', 'false', 'never'),
  );
  flag('--sequences <n>', 'beams to print, best first (default: 1)', integer(1, 1024));
  flag('--trace <path>', 'write every round as data: a JSON object a line for each result');
  flag('--json', 'print one JSON object a result');
  flag('--compare', 'decode autoregressively too, and report (default: on a terminal)');
  flag('--no-compare', 'do not');
  flag('--color', 'colour tokens by where they came from (default: on a terminal)');
  flag('--no-color', 'do not');
  return command;
}

export function loadOptions(flags: GenerateFlags, signal: AbortSignal): LoadOptions {
  if (flags.dtype && flags.type && flags.dtype !== flags.type) {
    throw new CommandError(
      'argument-invalid',
      `expected one weight type, found --dtype ${flags.dtype} and --type ${flags.type}`,
    );
  }
  const { draft, backend, level, threads, prefix, revision, offline } = flags;
  const names = draft?.split(',').map((name) => name.trim()) as DraftSource[] | undefined;
  const dtype = flags.dtype ?? flags.type;
  return { draft: draft === 'none' ? null : names, backend, level, threads, dtype, prefix, revision, offline, signal };
}

/** Without the costs that `--gamma auto` stands for, which are measured once the models are there. */
export function generateOptions(flags: GenerateFlags, signal: AbortSignal): GenerateOptions {
  const { verification, temperature, topK, topP, minP, repetitionPenalty, seed, suppress, stop, branching, lenience } =
    flags;
  const gamma = flags.gamma === 'auto' ? undefined : flags.gamma;
  const lengths = { maxNewTokens: flags.maxTokens, minNewTokens: flags.minTokens };
  const noRepeatNgramSize = flags.blockNgrams;
  const chances = { temperature, topK, topP, minP, repetitionPenalty, noRepeatNgramSize };
  const costs = flags.costs && { c: flags.costs[0], v: flags.costs.slice(1) };
  const rounds = { gamma, costs, branching, verification, lenience };
  return { ...rounds, seed, suppressTokens: suppress, stop, signal, ...chances, ...lengths };
}

/** Flags that say nothing to a beam search. */
const NOT_WITH_BEAMS = [
  'temperature',
  'topK',
  'topP',
  'minP',
  'seed',
  'verification',
  'lenience',
  'branching',
  'costs',
  'trace',
  'batch',
  'stop',
  'compare',
] as const;

const ONLY_WITH_BEAMS = ['lengthPenalty', 'earlyStopping', 'sequences'] as const;

/** Null where no beam search is asked for. */
export function beamOptions(flags: GenerateFlags, signal: AbortSignal): GenerateOptions | null {
  const { beams, gamma, lengthPenalty, earlyStopping, sequences, repetitionPenalty, suppress } = flags;
  const named = (names: readonly (keyof GenerateFlags)[]) => names.find((name) => flags[name]);
  if (beams === undefined) {
    const lone = named(ONLY_WITH_BEAMS);
    if (lone) throw new CommandError('argument-invalid', `expected --beams, found --${dashed(lone)} without it`);
    return null;
  }
  const other = gamma === 'auto' ? 'gamma auto' : named(NOT_WITH_BEAMS);
  if (other) throw new CommandError('argument-invalid', `expected no --${dashed(other)} beside --beams, found it`);
  return {
    numBeams: beams,
    numReturnSequences: sequences,
    lengthPenalty,
    earlyStopping:
      earlyStopping === 'never' ? 'never' : earlyStopping === undefined ? undefined : earlyStopping === 'true',
    gamma: gamma as number | undefined,
    maxNewTokens: flags.maxTokens,
    minNewTokens: flags.minTokens,
    noRepeatNgramSize: flags.blockNgrams,
    repetitionPenalty,
    suppressTokens: suppress,
    signal,
  };
}

const dashed = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** What does not go together, whatever is decoded. */
export function checkGenerateFlags({ gamma, costs, batch, compare, trace, branching }: GenerateFlags): void {
  if (gamma === 'auto' && costs)
    throw new CommandError('argument-invalid', 'expected --gamma auto or --costs, found both');
  if (gamma === 'auto' && branching)
    throw new CommandError('argument-invalid', 'expected --gamma auto or --branching, found both');
  if (batch === undefined) return;
  const other = compare ? 'compare' : trace !== undefined ? 'trace' : null;
  if (other) throw new CommandError('argument-invalid', `expected no --${other} beside --batch, found it`);
}
