import { bundledPair, type Comparison, comparison, type GenerateOptions, type GenerateResult, Tandem } from '../api';
import { CommandError, EXIT, isCancellation, oneLine } from './failure';
import { type GenerateFlags, generateOptions, loadOptions } from './generateFlags';
import { type Input, readInputs } from './inputs';
import { jsonPrinter } from './json';
import { coloursFor } from './paint';
import type { Printer } from './printer';
import { loadProgress } from './progress';
import { textPrinter } from './text';

interface Call {
  readonly signal: AbortSignal;
  /** Whether `generate` was typed: then standard input is read where there is no TEXT. */
  readonly named: boolean;
}

/** `tandem generate`: decodes every input in turn; what is finished stays, whatever happens to the next. */
export async function generateCommand(words: readonly string[], flags: GenerateFlags, call: Call): Promise<void> {
  const options = generateOptions(flags, call.signal);
  const load = loadOptions(flags, call.signal);
  const asked = words.length > 0 || flags.file !== undefined || flags.ids !== undefined || flags.model !== undefined;
  const showcase = !asked && !call.named;
  const inputs = showcase ? await examples() : await readInputs(words, flags);
  const progress = loadProgress();
  const hub = { ...load.hub, onProgress: progress.download };
  const tandem = await Tandem.load({ ...load, hub, onProgress: progress.update }).finally(progress.stop);
  try {
    checkLevel(tandem, flags);
    const terminal = process.stdout.isTTY === true;
    const compare = flags.compare ?? (showcase || (terminal && flags.json !== true));
    const able = tandem.draft !== null && options.gamma !== 0;
    const setting = { tandem, options, colours: coloursFor(process.stdout, flags.color), showcase };
    const printer = flags.json ? jsonPrinter(setting) : textPrinter(setting);
    await decodeAll(tandem, inputs, { options, printer, compare: compare && able });
  } finally {
    await tandem.dispose();
  }
}

/** `auto` would rather give another backend than none; a level that was asked for by name is another matter. */
function checkLevel(tandem: Tandem, { level }: GenerateFlags): void {
  const { name, level: found, reason = `${name} (${found})` } = tandem.backend;
  if (level === undefined || level === 'auto' || level === found) return;
  throw new CommandError(`level: expected ${level}, found ${reason}`, EXIT.failed);
}

async function examples(): Promise<Input[]> {
  return (await bundledPair()).examples.map((text) => ({ text }));
}

interface Job {
  readonly options: GenerateOptions;
  readonly printer: Printer;
  readonly compare: boolean;
}

async function decodeAll(tandem: Tandem, inputs: readonly Input[], job: Job): Promise<void> {
  const failures: string[] = [];
  for (const [index, input] of inputs.entries()) {
    try {
      await decodeOne(tandem, input, { ...job, options: { ...job.options, stream: streamName(index) } }, index === 0);
    } catch (error) {
      if (isCancellation(error)) throw error;
      job.printer.broken();
      if (inputs.length === 1) throw error;
      failures.push(`line ${index + 1}`);
      process.stderr.write(`tandem: line ${index + 1}: ${oneLine(error)}\n`);
    }
  }
  job.printer.close();
  if (failures.length > 0) {
    throw new CommandError(`${inputs.length - failures.length} of ${inputs.length} lines decoded`, EXIT.failed);
  }
}

/** Lines draw random numbers of their own; the first draws what it would draw alone. */
function streamName(index: number): string {
  return index === 0 ? 'main' : `line ${index + 1}`;
}

async function decodeOne(tandem: Tandem, input: Input, job: Job, first: boolean): Promise<void> {
  const { options, printer, compare } = job;
  const source = 'text' in input ? input.text : input.ids;
  if (compare && first) await tandem.warmUp(source, options);
  printer.begin(input);
  const result = await streamed(tandem, source, job);
  const compared = compare ? await compareWith(tandem, source, result, options) : null;
  printer.end(compared?.speculative ?? result, compared);
}

/** Runs this short are timed again: on a machine that does other things too, one run tells little. */
const SHORT_SECONDS = 0.75;
/** Times that each way of decoding is run where runs are short. */
const TURNS = 3;

/** The result beside autoregressive decoding of the same input; of short runs, in turns, the fastest of each counts. */
async function compareWith(
  tandem: Tandem,
  source: string | readonly number[],
  result: GenerateResult,
  options: GenerateOptions,
): Promise<Comparison> {
  const alone = { ...options, speculative: false };
  const faster = (a: GenerateResult, b: GenerateResult) => (b.metrics.seconds < a.metrics.seconds ? b : a);
  let speculative = result;
  let autoregressive = await tandem.generate(source, alone);
  for (let turn = 1; turn < TURNS && autoregressive.metrics.seconds < SHORT_SECONDS; turn++) {
    speculative = faster(speculative, await tandem.generate(source, options));
    autoregressive = faster(autoregressive, await tandem.generate(source, alone));
  }
  return comparison(speculative, autoregressive, options.gamma);
}

async function streamed(tandem: Tandem, source: string | readonly number[], job: Job): Promise<GenerateResult> {
  const run = tandem.stream(source, job.options);
  for (;;) {
    const step = await run.next();
    if (step.done) return step.value;
    job.printer.token(step.value);
  }
}
