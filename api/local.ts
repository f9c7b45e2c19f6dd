import { Turns } from '../common';
import { type CostTable, DecodingError, measureCosts, SharedBatch } from '../decoding';
import type { T5Model } from '../engine';
import { searchBeams } from './beams';
import { comparison } from './comparison';
import { embedInputs } from './embed';
import type { EmbedOptions } from './embed-options';
import type { Engine, LoadedFacts } from './engine';
import { type Loaded, type LoadPlan, load } from './load';
import { isBeamSearch } from './options';
import { decodeSequences } from './run';
import { scoreInputs } from './score';
import type { Score, ScoreOptions } from './score-options';
import { neededTokenizer, sourceIds, sourceOf, withoutLongText, withoutLongTexts } from './source';
import type { DecodeIdsOptions, EncodeInputOptions } from './text-options';
import type {
  CompareOptions,
  Comparison,
  GenerateOptions,
  Input,
  LoadedParts,
  LoadOptions,
  MeasureCostsOptions,
  ModelFacts,
  Result,
  StreamEvent,
} from './types';

/** Runs this short are timed again: on a machine that does other things too, one run tells little. */
const SHORT_SECONDS = 0.75;
/** How often each way of decoding is timed where runs are short. */
const MOST_TURNS = 3;
/** Tokens of the runs that come before what is timed, so that what is timed runs on compiled code. */
const WARM_UP_TOKENS = 12;

/** Loads onto this thread. */
export async function openLocalEngine(plan: LoadPlan, options: LoadOptions): Promise<Engine> {
  return new LocalEngine(await load(plan, options), options);
}

/** The engine on this thread. */
export class LocalEngine implements Engine {
  readonly facts: LoadedFacts;
  readonly parts: LoadedParts;
  readonly notSendable = [];

  /** Where calls share batches: one batch for those with the draft, one for those without. */
  private readonly shared: { readonly drafted: SharedBatch; readonly plain: SharedBatch } | null;

  constructor(
    private readonly loaded: Loaded,
    { continuousBatching: size }: Pick<LoadOptions, 'continuousBatching'> = {},
  ) {
    const { target, drafts, drafter, tokenizer, backend, prefix, generation } = loaded;
    const { name, level, wide, threads, reason, weightTypes } = backend.facts;
    this.parts = { target, drafts, drafter, tokenizer, backend };
    this.facts = {
      target: factsOf(target),
      draft: drafts[0] ? factsOf(drafts[0]) : null,
      drafter: drafter?.name ?? null,
      backend: { name, level, wide, threads, reason, dtypes: weightTypes, worker: false },
      prefix,
      hasTokenizer: tokenizer !== null,
      generation,
    };
    const batch = (drafting: typeof drafter) =>
      new SharedBatch({ target, drafter: drafting, costs: loaded.costs?.costs }, size as number);
    this.shared = size === undefined ? null : { drafted: batch(drafter), plain: batch(null) };
  }

  async *decode(
    inputs: readonly Input[],
    options: GenerateOptions,
    signal: AbortSignal,
  ): AsyncGenerator<StreamEvent, void, void> {
    const { loaded } = this;
    const shared = this.shared && (options.speculative === false ? this.shared.plain : this.shared.drafted);
    const ready = await withoutLongTexts(loaded, inputs, options, signal);
    const events = isBeamSearch(options)
      ? searchBeams(loaded, ready, options, signal)
      : decodeSequences(loaded, ready, options, { signal, shared });
    const turns = new Turns();
    try {
      for await (const event of events) {
        await turns.give();
        yield event;
      }
    } finally {
      this.loaded.costs?.afterCall();
    }
  }

  /**
   * Both ways in turns, after a warm-up of both; of short runs, which are timed several times, the fastest of each counts. Both draw
   * tokens in the same way, so that texts that do not depend on the draft come out equal.
   */
  async compare(input: Input, options: CompareOptions, signal: AbortSignal): Promise<Comparison> {
    const { maxNewTokens = WARM_UP_TOKENS } = options;
    const few = { ...options, maxNewTokens: Math.min(maxNewTokens, WARM_UP_TOKENS) };
    for (const speculative of [false, true]) await this.resultOf(input, { ...few, speculative }, signal);
    let best: { speculative: Result; autoregressive: Result } | null = null;
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      const speculative = await this.resultOf(input, options, signal);
      const autoregressive = await this.resultOf(input, { ...options, speculative: false }, signal);
      best = {
        speculative: best ? faster(best.speculative, speculative) : speculative,
        autoregressive: best ? faster(best.autoregressive, autoregressive) : autoregressive,
      };
      if (autoregressive.metrics.seconds >= SHORT_SECONDS) break;
    }
    const { speculative, autoregressive } = best as NonNullable<typeof best>;
    return comparison(speculative, autoregressive);
  }

  async measureCosts(
    input: Input,
    { rows, repeats, truncate }: MeasureCostsOptions,
    signal: AbortSignal,
  ): Promise<CostTable> {
    const { drafter, target } = this.loaded;
    if (drafter === null) throw new DecodingError('option-invalid', 'costs: expected a draft to measure, found none');
    const turns = new Turns();
    const source = sourceOf(this.loaded, await withoutLongText(this.loaded, input, {}, signal), { truncate });
    return measureCosts(target, drafter, { source, rows, repeats, signal, betweenCalls: () => turns.give() });
  }

  score(source: Input, targets: readonly Input[], options: ScoreOptions, signal: AbortSignal): Promise<Score[]> {
    return scoreInputs(this.loaded, { source, targets }, options, signal);
  }

  embed(inputs: readonly Input[], options: EmbedOptions, signal: AbortSignal): Promise<Float32Array[]> {
    return embedInputs(this.loaded, inputs, options, signal);
  }

  async encode(input: Input, options: EncodeInputOptions): Promise<number[]> {
    return sourceIds(this.loaded, await withoutLongText(this.loaded, input, options), options);
  }

  async decodeIds(ids: readonly number[], options: DecodeIdsOptions): Promise<string> {
    return neededTokenizer(this.loaded).decode(ids, options);
  }

  async dispose(): Promise<void> {
    const { target, drafts, backend, costs } = this.loaded;
    for (const batch of Object.values(this.shared ?? {})) await batch.settle();
    await costs?.close();
    for (const draft of drafts) draft.dispose();
    target.dispose();
    await backend.dispose();
  }

  /** Decodes one input to its end. @throws what it is to blame for */
  private async resultOf(input: Input, options: GenerateOptions, signal: AbortSignal): Promise<Result> {
    for await (const event of this.decode([input], options, signal)) {
      if (event.kind === 'done') return event.result;
      if (event.kind === 'failed') throw event.error;
    }
    throw new DecodingError('aborted', 'generation: expected a result, found that the run ended before');
  }
}

function faster(a: Result, b: Result): Result {
  return b.metrics.seconds < a.metrics.seconds ? b : a;
}

function factsOf(model: T5Model): ModelFacts {
  const { name, config, parameters, weightBytes, dtype, narrowed, vocabularySize, hasDecoder } = model;
  const { family, dModel } = config;
  return { name, family, parameters, weightBytes, dtype, narrowed, vocabularySize, dModel, hasDecoder };
}
