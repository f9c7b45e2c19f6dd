import { setMaxListeners } from 'node:events';
import { type GenerateOptions, type Input, type Result, sequenceName } from '../../api';
import { type ErrorCode, INPUT_ERRORS, Inbox, TandemError } from '../../common';
import { CommandError, isCancellation, oneLine } from '../failure';
import type { Line } from '../files';
import type { Output } from './output';
import { type Job, jobOf, recordOf } from './records';
import { Window } from './window';

/** The lines that are not blank are counted; those whose count modulo `of` is `part` − 1 belong to part `part` of `of`. */
export interface Shard {
  readonly part: number;
  readonly of: number;
}

/** What decodes: a `Tandem`. */
export interface Decoder {
  generate(input: Input, options: GenerateOptions): Promise<Result>;
}

/** Hears how far the work is. */
export interface Watcher {
  /** A line has been passed over, or its record has been written. */
  passed(line: Line): void;
  recorded(failed: boolean): void;
}

export interface BatchWork {
  /** The lines of the input. The signal ends reading. */
  readonly lines: (signal: AbortSignal) => AsyncIterable<Line>;
  readonly output: Output;
  /** Options of all lines. */
  readonly options: GenerateOptions;
  /** What else fixes the records; see `settingsText`. */
  readonly settings: string;
  readonly shard: Shard;
  /** The most lines that are being decoded or wait for an earlier one to be written. */
  readonly window: number;
  readonly watcher: Watcher;
  readonly signal: AbortSignal;
}

/** A line that is being decoded. */
interface Begun {
  readonly line: Line;
  readonly job: Job;
  readonly outcome: Promise<Result | Error>;
}

/**
 * Decodes the lines of a shard and writes a record for each, in the order of the lines. What an earlier run has finished is left
 * out. A record is written as soon as it and those before it are there, whether or not more input comes. Never more than
 * `window` lines are in memory.
 *
 * @throws what concerns all lines; an error of one line is in its record
 */
export async function runBatch(decoder: Decoder, work: BatchWork): Promise<void> {
  const { window: size, signal } = work;
  const stop = new AbortController();
  setMaxListeners(0, stop.signal); // every line that is being decoded listens
  const cancel = () => stop.abort(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener('abort', cancel, { once: true });
  const window = new Window(size);
  const begun = new Inbox<Begun>();
  const decode = decoding(decoder, { ...work.options, signal: stop.signal });
  const read = async () => {
    try {
      for await (const { line, job } of jobs(work, stop.signal)) {
        await window.take();
        stop.signal.throwIfAborted();
        begun.put({ line, job, outcome: decode(job) });
      }
    } finally {
      begun.close(); // what has begun is still written
    }
  };
  const write = async () => {
    try {
      for await (const one of begun.take()) {
        await writeRecord(one, work);
        window.leave();
      }
    } catch (error) {
      stop.abort(error);
      throw error;
    } finally {
      window.open();
    }
  };
  const [reading, writing] = await Promise.allSettled([read(), write()]);
  signal.removeEventListener('abort', cancel);
  for (const end of [writing, reading]) if (end.status === 'rejected') throw end.reason;
}

async function writeRecord({ line, job, outcome }: Begun, { output, watcher }: BatchWork): Promise<void> {
  const found = await outcome;
  if (found instanceof Error && !isOfLine(found)) throw isCancellation(found) ? found : ofAll(job, found);
  await output.write(recordOf(job, found));
  watcher.recorded(found instanceof Error);
  watcher.passed(line);
}

/** Codes of errors that a line is to blame for. */
const OF_A_LINE: readonly ErrorCode[] = [...INPUT_ERRORS, 'not-found'];

function isOfLine(error: Error): boolean {
  return error instanceof TandemError && OF_A_LINE.includes(error.code);
}

/** The run ends here: an error of memory or of a device would be in the records of lines that are not to blame for it. */
function ofAll({ line }: Job, error: Error): Error {
  const code = error instanceof TandemError ? error.code : 'io-failed';
  const message = `line ${line}: ${oneLine(error)}; the records before this line are written, and the same command goes on from there`;
  return new CommandError(code, message, { cause: error });
}

/** The lines of the shard that have no record yet. */
async function* jobs(
  { lines, output, settings, shard, watcher }: BatchWork,
  signal: AbortSignal,
): AsyncGenerator<{ readonly line: Line; readonly job: Job }, void, void> {
  const { last } = output;
  let isKnown = last === null;
  let count = 0;
  for await (const line of lines(signal)) {
    const { number } = line;
    const isBlank = 'text' in line && line.text.trim() === '';
    const isOurs = !isBlank && count++ % shard.of === shard.part - 1;
    if (!isKnown && last !== null && number >= last.line) {
      if (!isOurs || number > last.line || jobOf(line, settings).hash !== last.hash) throw anotherInput(last.line);
      isKnown = true;
      watcher.passed(line);
    } else if (!isOurs || !isKnown) watcher.passed(line);
    else yield { line, job: jobOf(line, settings) };
  }
  if (!isKnown && last !== null) throw anotherInput(last.line);
}

function anotherInput(line: number): CommandError {
  const expected = 'expected records of this input, with these options and this shard';
  return new CommandError(
    'argument-invalid',
    `--out: ${expected}, found that line ${line} was another one; name another file or remove it`,
  );
}

/**
 * Decodes a job under a name of its own, on which its random numbers depend: its id, or its number. Beam searches, which share no
 * batch, run one after the other.
 */
function decoding(decoder: Decoder, options: GenerateOptions): (job: Job) => Promise<Result | Error> {
  let beams: Promise<unknown> = Promise.resolve();
  return async ({ line, id, work }) => {
    if (work instanceof Error) return work;
    const sequence = id === null ? sequenceName(line - 1, 0) : `id ${JSON.stringify(id)}`;
    const all = { ...options, ...work.options, sequence };
    const decode = () => decoder.generate(work.input, all).catch((error: Error) => error);
    if ((all.numBeams ?? 1) <= 1) return decode();
    const turn = beams.then(decode);
    beams = turn;
    return turn;
  };
}
