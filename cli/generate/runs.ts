import { type GenerateOptions, sequenceName, type Tandem, type TokenStreamEvent } from '../../api';
import { TraceRecorder } from '../../decoding';
import { isCancellation } from '../failure';
import type { Input } from './inputs';
import type { Outcome } from './printer';
import type { TraceFile } from './traces';

/** What happened to the input at place `index` among the inputs. */
export type RunEvent =
  | TokenStreamEvent
  | { readonly kind: 'done'; readonly index: number; readonly outcome: Outcome }
  | { readonly kind: 'failed'; readonly index: number; readonly error: unknown };

export interface Job {
  readonly options: GenerateOptions;
  /** Whether each input is decoded without the draft too. */
  readonly compare: boolean;
  readonly traces: TraceFile | null;
}

type Events = AsyncGenerator<RunEvent, void, void>;

/** Decodes all inputs. One that fails ends with a `failed` event, and the others are unaffected. */
export function runAll(tandem: Tandem, inputs: readonly Input[], job: Job): Events {
  return job.compare || job.traces !== null ? oneByOne(tandem, inputs, job) : together(tandem, inputs, job.options);
}

async function* together(tandem: Tandem, inputs: readonly Input[], options: GenerateOptions): Events {
  const sources = inputs.map(({ source }) => source);
  for await (const event of tandem.stream(sources, options)) {
    if (event.kind === 'done') yield { ...event, outcome: { result: event.result, comparison: null } };
    else yield event;
  }
}

/** As `together`, with the same texts, but one input after another: a trace and a comparison are of one input. */
async function* oneByOne(tandem: Tandem, inputs: readonly Input[], { options, compare, traces }: Job): Events {
  for (const [index, { source }] of inputs.entries()) {
    const sequence = sequenceName(index, 0);
    const trace = traces ? new TraceRecorder() : undefined;
    try {
      for await (const event of tandem.stream(source, { ...options, sequence, trace })) {
        if (event.kind === 'token') yield { ...event, index };
        if (event.kind !== 'done') continue;
        if (trace) traces?.write(trace.trace);
        const { numBeams: _one, numReturnSequences: _single, onEncoding: _shown, ...compared } = options; // these are not compared
        const comparison = compare ? await tandem.compare(source, { ...compared, sequence }) : null;
        yield { kind: 'done', index, outcome: { result: comparison?.speculative ?? event.result, comparison } };
      }
    } catch (error) {
      if (isCancellation(error)) throw error;
      yield { kind: 'failed', index, error };
    }
  }
}
