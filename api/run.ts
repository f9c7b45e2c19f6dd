import {
  addTallies,
  DEFAULTS,
  type GenerationEvent,
  type GenerationResult,
  generateBatch,
  type Metrics,
  metricsOf,
  type SequenceRequest,
  type SharedBatch,
} from '../decoding';
import type { Source } from '../engine';
import type { Loaded } from './load';
import { sourceOf } from './source';
import { SequenceText } from './text';
import type { GenerateOptions, Input, Result, Sequence, StreamEvent } from './types';

/** One sequence of one input. */
interface Member {
  /** The input's place. */
  readonly index: number;
  /** The sequence's place among the input's. */
  readonly sequence: number;
  readonly text: SequenceText;
}

/** An input whose sequences are being decoded. */
interface Pending {
  readonly results: (GenerationResult & Sequence)[];
  /** Ends the other sequences when one has failed. */
  readonly abort: AbortController;
  ended: number;
  failed: boolean;
}

/**
 * Name of a sequence for its random numbers. A sequence of many comes out as it would alone under its name: `main` for the
 * first input, `line 2` for the second, and ` sample 2` added for an input's second sample. A name of the caller's own
 * takes the place of `main` and stands before the rest.
 */
export function sequenceName(index: number, sample: number, given?: string): string {
  const line = index === 0 ? '' : `line ${index + 1}`;
  const name = given === undefined ? line || DEFAULTS.sequence : `${given} ${line}`.trimEnd();
  return sample === 0 ? name : `${name} sample ${sample + 1}`;
}

/**
 * Decodes inputs, each in one or several sequences, by one call of the target a round for all that are under way. Yields tokens
 * as they become certain and one `done` or `failed` for each input.
 *
 * @param shared a batch that other calls are in too; then `concurrency` says how many sequences of this call are in it at once
 * @throws DecodingError `aborted`; whatever one input is to blame for comes as its `failed` event
 */
export function decodeSequences(
  loaded: Loaded,
  inputs: readonly Input[],
  options: GenerateOptions,
  { signal, shared }: { readonly signal: AbortSignal; readonly shared?: SharedBatch | null },
): AsyncGenerator<StreamEvent, void, void> {
  const run = new SequencesRun(loaded, inputs, options);
  if (shared) return eventsOf(run, shared.generate(run.requests(), { concurrency: options.concurrency, signal }));
  const { speculative = true, numReturnSequences = 1 } = options;
  const { concurrency = Math.max(DEFAULTS.concurrency, numReturnSequences) } = options;
  const drafter = speculative ? loaded.drafter : null;
  const pair = { target: loaded.target, drafter, costs: loaded.costs?.costs };
  return eventsOf(run, generateBatch(pair, run.requests(), { concurrency, signal }));
}

async function* eventsOf(
  run: SequencesRun,
  events: AsyncGenerator<GenerationEvent, void, void>,
): AsyncGenerator<StreamEvent, void, void> {
  for await (const event of events) {
    yield* run.takeFailures();
    const member = run.members[event.index];
    if (event.kind === 'token') yield { ...event, index: member.index, sequence: member.sequence };
    else if (event.kind === 'done') yield* run.finish(member, event.result);
    else yield* run.fail(member.index, event.error);
  }
  yield* run.takeFailures();
}

class SequencesRun {
  /** The sequence of each request, in the order in which `generateBatch` takes them. */
  readonly members: Member[] = [];
  private readonly pending = new Map<number, Pending>();
  private readonly failures: StreamEvent[] = [];

  constructor(
    private readonly loaded: Loaded,
    private readonly inputs: readonly Input[],
    private readonly options: GenerateOptions,
  ) {}

  *requests(): Generator<SequenceRequest, void, void> {
    const { numReturnSequences = 1 } = this.options;
    for (const [index, input] of this.inputs.entries()) {
      let source: Source;
      try {
        source = sourceOf(this.loaded, input, this.options);
      } catch (error) {
        this.failures.push({ kind: 'failed', index, error: error as Error });
        continue;
      }
      const abort = new AbortController();
      this.pending.set(index, { results: [], abort, ended: 0, failed: false });
      for (let sample = 0; sample < numReturnSequences; sample++) {
        if (abort.signal.aborted) break;
        yield this.request(source, index, sample, abort.signal);
      }
    }
  }

  /** Events of inputs that never became a request. */
  takeFailures(): StreamEvent[] {
    return this.failures.splice(0);
  }

  *finish({ index, sequence, text: { text } }: Member, result: GenerationResult): Generator<StreamEvent, void, void> {
    const pending = this.pending.get(index);
    if (!pending || pending.failed) return;
    pending.results[sequence] = { ...result, text };
    if (++pending.ended < (this.options.numReturnSequences ?? 1)) return;
    this.pending.delete(index);
    yield { kind: 'done', index, result: resultOf(pending.results) };
  }

  /** The first sequence that fails speaks for its input, and ends the others of it. */
  *fail(index: number, error: Error): Generator<StreamEvent, void, void> {
    const pending = this.pending.get(index);
    if (!pending || pending.failed) return;
    pending.failed = true;
    pending.abort.abort();
    yield { kind: 'failed', index, error };
  }

  private request(source: Source, index: number, sample: number, signal: AbortSignal): SequenceRequest {
    const {
      numReturnSequences: _count,
      numBeams: _beams,
      lengthPenalty: _penalty,
      earlyStopping: _early,
      speculative: _speculative,
      concurrency: _concurrency,
      truncate: _truncate,
      signal: _signal,
      stop = [],
      parseSpecial: _parse,
      skipSpecialTokens,
      trace,
      onEncoding,
      sequence,
      ...settings
    } = this.options;
    const { tokenizer, target } = this.loaded;
    const { maxNewTokens = DEFAULTS.maxNewTokens } = settings;
    const text = new SequenceText({ tokenizer, eosTokens: target.eosTokens, maxNewTokens, stop, skipSpecialTokens });
    this.members.push({ index, sequence: sample, text });
    return {
      source,
      settings: { ...settings, sequence: sequenceName(index, sample, sequence) },
      readToken: (token) => text.read(token),
      signal,
      trace,
      onEncoding,
    };
  }
}

function sequenceOf({ text, ids, stopReason, logProbs }: GenerationResult & Sequence): Sequence {
  return logProbs ? { text, ids, stopReason, logProbs } : { text, ids, stopReason };
}

/** The result of an input whose sequences have all ended. */
function resultOf(sequences: readonly (GenerationResult & Sequence)[]): Result {
  const all = sequences.map(sequenceOf);
  const [{ metrics }] = sequences;
  return {
    ...all[0],
    sequences: all,
    metrics: sequences.length === 1 ? metrics : together(sequences.map((one) => one.metrics)),
  };
}

/** Samples of one input are decoded side by side: their seconds are those of the longest, everything else adds up. */
function together(all: readonly Metrics[]): Metrics {
  const seconds = Math.max(...all.map((metrics) => metrics.seconds));
  return metricsOf({ ...addTallies(all), seconds }, { exact: all.every(({ exact }) => exact) });
}
