import { type GenerateOptions, sequenceName, type Tandem, type TokenStreamEvent } from '../../api';
import { TraceRecorder } from '../../decoding';
import { isCancellation } from '../failure';
import type { Input } from './inputs';
import type { Outcome } from './printer';
import type { TraceFile } from './traces';

/** What happened to the input at place `index` among the inputs. */
export type RunEvent =
  | { readonly kind: 'token'; readonly index: number; readonly token: TokenStreamEvent }
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
  for await (const event of tandem.stream(sources, { ...options, concurrency })) {
    if (event.kind === 'done') yield { ...event, outcome: { result: event.result, comparison: null } };
    else if (event.kind === 'token') yield { kind: 'token', index: event.index, token: event };
    else yield event;
  }
}

async function* oneByOne(tandem: Tandem, inputs: readonly Input[], job: Job): Events {
  for (const [index, { source }] of inputs.entries()) {
    const options = { ...job.options, sequence: sequenceName(index, 0) };
    const trace = job.traces ? new TraceRecorder() : undefined;
    try {
      const run = tandem.stream(source, { ...options, trace });
      for await (const event of run) if (event.kind === 'token') yield { kind: 'token', index, token: event };
      const result = await run.result;
      if (trace) job.traces?.write(trace.trace);
      const compared = job.compare ? await tandem.compare(source, options) : null;
      const outcome = { result: compared?.speculative ?? result, comparison: compared };
      yield { kind: 'done', index, outcome };
    } catch (error) {
      if (isCancellation(error)) throw error;
      yield { kind: 'failed', index, error };
    }
  }
}
