import type { Command } from 'commander';
import { GENERATE_OPTIONS, type GenerateOptions, LOAD_OPTIONS } from '../../api';
import { flagged, type OptionRule, type OptionTable, text } from '../../common';
import { NOT_FOLLOWED } from '../../decoding';
import { addFlags, addRefusedFlags } from '../flags';
import { DRAFT_FLAGS, type LoadFlags, MODEL_FLAG } from '../generate/flags';
import { SETTINGS_FLAG, type SettingsFlag } from '../settings';
import { VERBOSITY } from '../verbosity';
import type { Shard } from './run';

const { trace: _trace, ...DECODING } = GENERATE_OPTIONS;

export { DECODING };

/** Flags of `tandem batch`: those of loading and decoding, and those of the run. */
export interface BatchFlags extends LoadFlags, SettingsFlag, Omit<GenerateOptions, 'signal' | 'trace'> {
  readonly out?: string;
  readonly shard?: Shard;
  readonly exitZero?: boolean;
}

function isShard(value: unknown): boolean {
  const { part, of } = value as Shard;
  return part >= 1 && part <= of;
}

const shardRule: OptionRule<Shard> = {
  expected: 'a part and the number of parts, as 2/8, from 1/8 to 8/8',
  holds: isShard,
  parse: (given) => {
    const [part, of] = (/^(\d{1,9})\/(\d{1,9})$/.exec(given) ?? []).slice(1).map(Number);
    return isShard({ part, of }) ? { part, of } : null;
  },
};

const BATCH_FLAGS: OptionTable = {
  ...MODEL_FLAG,
  out: {
    ...text(1),
    about: 'file of the records; what is finished in it is kept (default, and -: standard output)',
    flag: '-o, --out <path>',
  },
  shard: {
    ...shardRule,
    about: 'do one part of the lines: 2/8 does the second of every eight that are not blank (default: 1/1)',
    flag: '--shard <i/n>',
  },
  exitZero: {
    ...flagged,
    about: 'end with code 0 where every line has a record, even if some records are errors',
    flag: '--exit-zero',
  },
};

const EXAMPLES = `
Each line of the input is JSON: "text", [token ids], or {"id": …, "input": …, "options": {"temperature": 0.7, …}}.
Each line of the output is a record: {"line", "id", "hash", "text", "ids", "stopReason"}, or {"line", "id", "hash", "error"}.
Records are in the order of the lines.

Examples:
  tandem batch in.jsonl --out out.jsonl                   after a kill, the same command goes on where it stopped
  tandem batch in.jsonl --out out.2.jsonl --shard 2/8     the second of eight parts
  tandem batch < in.jsonl > out.jsonl                     standard input and output`;

/** Puts the argument and the flags of `tandem batch` on a command. */
export function addBatchFlags(command: Command): Command {
  command
    .description('decode many lines of JSON, in order; after a kill, go on where it stopped')
    .argument('[file]', 'the input; `-` or nothing reads standard input');
  for (const table of [BATCH_FLAGS, SETTINGS_FLAG, LOAD_OPTIONS, DRAFT_FLAGS, DECODING, VERBOSITY])
    addFlags(command, table);
  addRefusedFlags(command, NOT_FOLLOWED);
  return command.addHelpText('after', EXAMPLES);
}
