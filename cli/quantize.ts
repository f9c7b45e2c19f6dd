import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { LOAD_OPTIONS } from '../api';
import { fileKind, flagged, type OptionTable, oneOf, printable, quoted, text } from '../common';
import { type FileDtype, quantizeCheckpoint } from '../engine';
import { WEIGHT_TYPES } from '../kernels';
import type { Checkpoint } from '../weights';
import { writeCheckpoint } from './checkpoint-directory';
import { CommandError, systemCode } from './failure';
import { addFlags } from './flags';
import { checkModelName, openModel } from './models';
import { bytesProgress } from './progress';
import { megabytes, tell, tellMachine, VERBOSITY, type Verbosity } from './verbosity';

export interface QuantizeFlags extends Verbosity {
  readonly dtype?: FileDtype;
  readonly out?: string;
  readonly force?: boolean;
  readonly revision?: string;
  readonly offline?: boolean;
}

const FLAGS: OptionTable = {
  dtype: {
    ...LOAD_OPTIONS.dtype,
    ...oneOf(...WEIGHT_TYPES),
    about: 'type of the weights to write: q8, q4, which is for drafts, bf16 or f32',
  },
  out: { ...text(1), about: 'directory to write', flag: '-o, --out <path>' },
  force: {
    ...flagged,
    about: 'write into a directory that holds files, and replace those of the same name',
    flag: '--force',
  },
  revision: LOAD_OPTIONS.revision,
  offline: LOAD_OPTIONS.offline,
  quiet: VERBOSITY.quiet,
  verbose: {
    ...VERBOSITY.verbose,
    about: 'say on standard error what is opened, in which types, and what each file took',
  },
};

/** Puts the argument and the flags of `tandem quantize` on a command. */
export function addQuantizeFlags(command: Command): Command {
  command
    .description('write a checkpoint with its weights in another type; q8 takes a quarter of the bytes, and q4 less')
    .argument('<model>', 'checkpoint directory or hub id');
  return addFlags(command, FLAGS);
}

/** `tandem quantize`: reads a checkpoint tensor by tensor and writes another one. */
export async function quantize(name: string, flags: QuantizeFlags, signal: AbortSignal): Promise<void> {
  const { dtype, out, force = false, revision, offline } = flags;
  if (dtype === undefined) throw new CommandError('argument-invalid', 'quantize: expected --dtype <type>, found none');
  if (out === undefined) throw new CommandError('argument-invalid', 'quantize: expected --out <path>, found none');
  checkModelName(name, 'quantize');
  await checkOut(out, name, force);
  const started = performance.now();
  const checkpoint = await openModel(name, { offline, revision, signal }, flags.quiet);
  tellOpened(flags, checkpoint);
  const progress = bytesProgress(`writing ${printable(out)}`, flags.quiet || flags.verbose);
  try {
    const files = await quantizeCheckpoint(checkpoint, { dtype, signal, onProgress: progress.update });
    tell(flags, `writing ${files.map((file) => file.name).join(', ')}`);
    const bytes = await writeCheckpoint(out, files, signal);
    progress.stop();
    tell(flags, `written in ${((performance.now() - started) / 1000).toFixed(2)} s`);
    process.stdout.write(`${printable(out)}: ${dtype}, ${bytes.toLocaleString('en')} bytes in ${files.length} files\n`);
  } finally {
    progress.stop();
    await checkpoint.dispose();
  }
}

function tellOpened(flags: Verbosity, { name, config, tensors }: Checkpoint): void {
  tellMachine(flags);
  const list = [...tensors.values()];
  const types = [...new Set(list.map(({ type, packing }) => packing ?? type))].join(', ');
  const bytes = list.reduce((sum, tensor) => sum + tensor.bytes, 0);
  tell(flags, `opened ${name}: ${config.family}, ${list.length} tensors of ${types}, ${megabytes(bytes)}`);
}

/** Refuses a place that cannot be written to, holds files, or is the original. */
async function checkOut(out: string, model: string, force: boolean): Promise<void> {
  const refusal = (found: string) => `--out ${quoted(out)}: expected a directory to write, found ${found}`;
  const found = await stat(out).catch(() => null);
  if (found === null) {
    const parent = await stat(dirname(out)).catch((error) => systemCode(error));
    if (typeof parent === 'string') throw new CommandError('io-failed', refusal(`${parent} for its parent`));
    return;
  }
  if (!found.isDirectory()) throw new CommandError('io-failed', refusal(fileKind(found)));
  const [here, there] = await Promise.all([out, model].map((path) => realpath(path).catch(() => null)));
  if (here === there) throw new CommandError('argument-invalid', refusal('the original'));
  if ((await readdir(out)).length === 0 || force) return;
  throw new CommandError('argument-invalid', refusal('one that holds files: --force writes into it'));
}
