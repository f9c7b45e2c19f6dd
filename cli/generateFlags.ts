import { type Command, Option } from 'commander';
import type { GenerateOptions, LoadOptions } from '../api';
import { CommandError } from './failure';
import { decimal, integer, oneOf, tokenIds } from './flags';

/** Flags of `tandem generate`, as commander names them. */
export interface GenerateFlags {
  readonly model?: string;
  readonly draft?: string;
  readonly gamma?: number;
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
  readonly dtype?: LoadOptions['type'];
  readonly type?: LoadOptions['type'];
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
  flag('-d, --draft <path>', 'draft: a checkpoint directory or hub id; `none` decodes autoregressively');
  flag('-g, --gamma <n>', 'draft tokens proposed a round (default: 4)', integer(0, 64));
  flag(
    '--verification <kind>',
    'token, block or coupled, all exact (default: token)',
    oneOf('token', 'block', 'coupled'),
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
  flag('--json', 'print one JSON object a result');
  flag('--compare', 'decode autoregressively too, and report (default: on a terminal)');
  flag('--no-compare', 'do not');
  flag('--color', 'colour tokens by where they came from (default: on a terminal)');
  flag('--no-color', 'do not');
  return command;
}

export function loadOptions(flags: GenerateFlags, signal: AbortSignal): LoadOptions {
  if (flags.dtype && flags.type && flags.dtype !== flags.type) {
    throw new CommandError(`expected one weight type, found --dtype ${flags.dtype} and --type ${flags.type}`);
  }
  const { model, draft, backend, level, threads, prefix } = flags;
  const none = draft === 'none' ? null : draft;
  const hub = { revision: flags.revision, offline: flags.offline };
  const type = flags.dtype ?? flags.type;
  return { target: model, draft: none, backend, level, threads, type, prefix, hub, signal };
}

export function generateOptions(flags: GenerateFlags, signal: AbortSignal): GenerateOptions {
  const { gamma, verification, temperature, topK, topP, minP, repetitionPenalty, seed, suppress, stop } = flags;
  const lengths = { maxNewTokens: flags.maxTokens, minNewTokens: flags.minTokens };
  const noRepeatNgramSize = flags.blockNgrams;
  const chances = { temperature, topK, topP, minP, repetitionPenalty, noRepeatNgramSize };
  return { gamma, verification, seed, suppress, stop, signal, ...chances, ...lengths };
}
