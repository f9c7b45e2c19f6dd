import { stat } from 'node:fs/promises';
import { checkGiven, type GenerateOptions, type Tandem } from '../../api';
import { printable, quoted } from '../../common';
import { DEFAULTS } from '../../decoding';
import { CommandError, EXIT } from '../failure';
import { checkReadable, type Line, linesOf, openFile, standardInput } from '../files';
import { optionsOf } from '../flags';
import { checkLoadFlags } from '../generate/flags';
import { loadTandem } from '../loading';
import { checkModels } from '../models';
import { withSettings } from '../settings';
import { type BatchFlags, DECODING } from './flags';
import { isSameFile, type Output, outputFile, standardOutput } from './output';
import { BatchProgress } from './progress';
import { settingsText } from './records';
import { runBatch } from './run';

/** The longest line, in bytes: far more text than the sources that T5 was trained on (512 tokens). */
const LONGEST_LINE = 1 << 20;
/** Lines that are decoded or wait for an earlier one, for each sequence that is decoded at once. */
const AHEAD = 4;
const ALL = Number.MAX_SAFE_INTEGER;

/** `tandem batch` */
export async function batch(file: string | undefined, typed: BatchFlags, signal: AbortSignal): Promise<void> {
  const flags = await withSettings(typed, signal);
  const { out, quiet = false } = flags;
  checkLoadFlags(flags);
  const given = optionsOf(flags, DECODING) as GenerateOptions;
  checkGiven(given, 'batch');
  await checkModels(flags);
  const input = await openInput(file, out);
  const output = out === undefined || out === '-' ? standardOutput() : await outputFile(out);
  const progress = new BatchProgress({ size: input.size, quiet });
  try {
    if (output.last !== null && !quiet) {
      process.stderr.write(`tandem: ${printable(out as string)}: going on after line ${output.last.line}\n`);
    }
    await withTandem(flags, signal, async (tandem) => {
      progress.begin();
      await decode(tandem, given, { input, output, flags, progress, signal });
    });
  } finally {
    output.close();
    progress.close();
  }
  if (progress.failures > 0 && !flags.exitZero) process.exitCode = EXIT.failed;
}

interface BatchInput {
  readonly lines: (signal: AbortSignal) => AsyncIterable<Line>;
  /** Bytes of a file. */
  readonly size: number | null;
}

/** Checks the input before the models are loaded. */
async function openInput(file: string | undefined, out: string | undefined): Promise<BatchInput> {
  const limits = { longest: LONGEST_LINE, most: ALL, lines: ALL, keepsOn: true };
  if (file === undefined || file === '-') {
    if (process.stdin.isTTY) {
      const expected = 'batch: expected a file, or lines of JSON on standard input';
      throw new CommandError('argument-invalid', `${expected}, found none (see tandem batch --help)`);
    }
    const where = 'standard input';
    return { lines: (signal) => linesOf(standardInput(signal), { ...limits, where }), size: null };
  }
  await checkReadable(file);
  if (out !== undefined && isSameFile(file, out)) {
    throw new CommandError('argument-invalid', `--out: expected another file than the input, found ${quoted(out)}`);
  }
  async function* lines(signal: AbortSignal) {
    yield* linesOf(await openFile(file as string, signal), { ...limits, where: file as string });
  }
  return { lines, size: (await stat(file)).size };
}

interface Work {
  readonly input: BatchInput;
  readonly output: Output;
  readonly flags: BatchFlags;
  readonly progress: BatchProgress;
  readonly signal: AbortSignal;
}

function decode(tandem: Tandem, given: GenerateOptions, work: Work): Promise<void> {
  const { input, output, flags, progress, signal } = work;
  const { concurrency = DEFAULTS.concurrency, shard = { part: 1, of: 1 } } = flags;
  const { concurrency: _all, ...options } = given;
  const { concurrency: _none, ...inForce } = tandem.resolveOptions(given); // refuses now what all lines would be refused for
  const names = [tandem.target.name, tandem.target.dtype, tandem.drafter, tandem.prefix];
  return runBatch(tandem, {
    ...{ lines: input.lines, output, options, settings: settingsText(names, inForce), shard },
    ...{ window: AHEAD * concurrency, watcher: progress, signal },
  });
}

/** Loads the models, so that all lines share one batch, and gives them back. */
async function withTandem(flags: BatchFlags, signal: AbortSignal, work: (tandem: Tandem) => Promise<void>) {
  const { concurrency = DEFAULTS.concurrency } = flags;
  const tandem = await loadTandem(flags, signal, { continuousBatching: concurrency });
  try {
    await work(tandem);
  } finally {
    await tandem.dispose();
  }
}
