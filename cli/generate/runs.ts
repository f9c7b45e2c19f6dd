import {
  type Comparison,
  comparison,
  type GenerateOptions,
  type GenerateResult,
  type StreamedToken,
  type Tandem,
} from '../../api';
import { TraceRecorder } from '../../decoding';
import { isCancellation } from '../failure';
import type { Input } from './inputs';
import type { Outcome } from './printer';
import type { TraceFile } from './traces';

/** What happened to the input at place `index` among the inputs. */
export type RunEvent =
  | { readonly kind: 'token'; readonly index: number; readonly token: StreamedToken }
  | { readonly kind: 'done'; readonly index: number; readonly outcome: Outcome }
  | { readonly kind: 'failed'; readonly index: number; readonly error: unknown };

export interface Job {
  readonly options: GenerateOptions;
  /** Whether each input is decoded autoregressively too. */
  readonly compare: boolean;
  readonly traces: TraceFile | null;
  /** Inputs decoded at the same time. */
  readonly concurrency: number;
}

type Events = AsyncGenerator<RunEvent, void, void>;

/** Decodes all inputs. One that fails ends with a `failed` event, and the others are unaffected. */
export function runAll(tandem: Tandem, inputs: readonly Input[], job: Job): Events {
  return job.compare || job.traces !== null ? oneByOne(tandem, inputs, job) : together(tandem, inputs, job);
}

async function* together(tandem: Tandem, inputs: readonly Input[], { options, concurrency }: Job): Events {
  const sources = inputs.map(({ source }) => source);
  for await (const event of tandem.generateBatch(sources, { ...options, concurrency })) {
    if (event.kind === 'done') yield { ...event, outcome: { result: event.result, comparison: null } };
    else yield event;
  }
}

/** Inputs draw random numbers of their own, as in a batch. The first draws what it would draw alone. */
function sequenceName(index: number): string {
  return index === 0 ? 'main' : `line ${index + 1}`;
}

async function* oneByOne(tandem: Tandem, inputs: readonly Input[], job: Job): Events {
  if (job.compare && inputs.length > 0) await tandem.warmUp(inputs[0].source, job.options).catch(() => undefined);
  for (const [index, { source }] of inputs.entries()) {
    const options = { ...job.options, sequence: sequenceName(index) };
    const trace = job.traces ? new TraceRecorder() : undefined;
    try {
      const run = tandem.stream(source, { ...options, trace });
      let step = await run.next();
      for (; !step.done; step = await run.next()) yield { kind: 'token', index, token: step.value };
      if (trace) job.traces?.write(trace.trace);
      const compared = job.compare ? await compareWith(tandem, source, step.value, options) : null;
      const outcome = { result: compared?.speculative ?? step.value, comparison: compared };
      yield { kind: 'done', index, outcome };
    } catch (error) {
      if (isCancellation(error)) throw error;
      yield { kind: 'failed', index, error };
    }
  }
}

/** Runs this short are timed again: on a machine that does other things too, one short run says little. */
const SHORT_SECONDS = 0.75;
/** How often each way of decoding is run where runs are short. */
const REPETITIONS = 3;

/** Decodes an input autoregressively as well. Where runs are short both ways alternate, and the fastest of each counts. */
async function compareWith(
  tandem: Tandem,
  source: Input['source'],
  result: GenerateResult,
  options: GenerateOptions,
): Promise<Comparison> {
  const alone = { ...options, speculative: false };
  const faster = (a: GenerateResult, b: GenerateResult) => (b.metrics.seconds < a.metrics.seconds ? b : a);
  let speculative = result;
  let autoregressive = await tandem.generate(source, alone);
  for (let run = 1; run < REPETITIONS && autoregressive.metrics.seconds < SHORT_SECONDS; run++) {
    speculative = faster(speculative, await tandem.generate(source, options));
    autoregressive = faster(autoregressive, await tandem.generate(source, alone));
  }
  return comparison(speculative, autoregressive, options);
}
