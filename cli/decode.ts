import { type Comparison, comparison, type GenerateOptions, type GenerateResult, type Tandem } from '../api';
import { TraceRecorder } from '../decoding';
import { CommandError, EXIT, isCancellation, oneLine } from './failure';
import { type Input, sourceOf, streamName } from './inputs';
import type { Printer } from './printer';
import type { TraceFile } from './traces';

interface Job {
  readonly options: GenerateOptions;
  readonly printer: Printer;
  readonly compare: boolean;
  readonly traces: TraceFile | null;
}

/** Decodes inputs one after another; one that fails is named, and the others come out all the same. */
export async function decodeAll(tandem: Tandem, inputs: readonly Input[], job: Job): Promise<void> {
  let failures = 0;
  for (const [index, input] of inputs.entries()) {
    try {
      await decodeOne(tandem, input, { ...job, options: { ...job.options, stream: streamName(index) } }, index === 0);
    } catch (error) {
      if (isCancellation(error)) throw error;
      job.printer.broken();
      if (inputs.length === 1) throw error;
      failures++;
      process.stderr.write(`tandem: line ${index + 1}: ${oneLine(error)}\n`);
    }
  }
  job.printer.close();
  expectAll(inputs.length, failures);
}

/** @throws CommandError when some inputs came to nothing */
export function expectAll(inputs: number, failures: number): void {
  if (failures > 0) throw new CommandError(`${inputs - failures} of ${inputs} lines decoded`, EXIT.failed);
}

async function decodeOne(tandem: Tandem, input: Input, job: Job, first: boolean): Promise<void> {
  const { options, printer, compare, traces } = job;
  const source = sourceOf(input);
  if (compare && first) await tandem.warmUp(source, options);
  printer.begin(input);
  const trace = traces ? new TraceRecorder() : undefined;
  const result = await streamed(tandem, source, { ...options, trace }, printer);
  if (trace) traces?.write(trace.trace);
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
  return comparison(speculative, autoregressive, options);
}

async function streamed(
  tandem: Tandem,
  source: string | readonly number[],
  options: GenerateOptions,
  printer: Printer,
): Promise<GenerateResult> {
  const run = tandem.stream(source, options);
  for (;;) {
    const step = await run.next();
    if (step.done) return step.value;
    printer.token(step.value);
  }
}
