import { type CostTable, DecodingError, type Drafter, generate, measureCosts } from '../decoding';
import type { T5Model } from '../engine';
import type { BackendFacts } from '../kernels';
import type { Tokenizer } from '../weights';
import { batchOf } from './batch';
import { beamsOf } from './beams';
import { comparison } from './comparison';
import { type Loaded, load, sourceIds } from './load';
import { resultWith, StopWatch, textStream } from './stops';
import { Turns } from './turns.node';
import type {
  BatchGenerateOptions,
  BatchProgress,
  BeamSearchOptions,
  Comparison,
  GenerateOptions,
  GenerateResult,
  LoadOptions,
  StreamedToken,
  TextBeams,
} from './types';

/** A target and, if there is one, a draft on a backend, ready to decode. */
export class Tandem {
  readonly #loaded: Loaded;

  private constructor(loaded: Loaded) {
    this.#loaded = loaded;
  }

  /**
   * Loads a pair, by default the bundled one on the fastest backend that works here.
   *
   * @throws WeightsError, KernelError or EngineError when a checkpoint is broken or does not fit; DecodingError
   * `vocabulary-mismatch`, with the first difference, when draft and target do not speak the same ids
   */
  static async load(options: LoadOptions = {}): Promise<Tandem> {
    return new Tandem(await load(options));
  }

  get target(): T5Model {
    return this.#loaded.target;
  }

  /** The model that drafts; null where none does. */
  get draft(): T5Model | null {
    return this.#loaded.drafts[0] ?? null;
  }

  /** Whatever proposes, a model or not; null where decoding is autoregressive. */
  get drafter(): Drafter | null {
    return this.#loaded.drafter;
  }

  /** Null where the target has no tokenizer file. */
  get tokenizer(): Tokenizer | null {
    return this.#loaded.tokenizer;
  }

  /** Name, feature level and threads of what computes. */
  get backend(): BackendFacts {
    return this.#loaded.backend.facts;
  }

  /** Source ids of an input, prefix and closing EOS included. */
  encode(input: string | readonly number[]): number[] {
    return sourceIds(this.#loaded, input);
  }

  /**
   * Decodes token by token as tokens become certain, several at once after a round; returns the whole at the end.
   *
   * @param input text, or source ids with their closing EOS
   * @throws DecodingError `option-invalid`, `no-token-left` or `aborted`; EngineError `source-invalid`
   */
  async *stream(
    input: string | readonly number[],
    options: GenerateOptions = {},
  ): AsyncGenerator<StreamedToken, GenerateResult, void> {
    const { signal, stop = [], speculative = true, trace, ...settings } = options;
    const { target, tokenizer } = this.#loaded;
    const watch = new StopWatch(textStream(tokenizer), stop);
    const turns = new Turns();
    const readToken = (token: number) => ({ text: watch.push(token), stop: watch.stopped });
    const drafter = speculative ? this.drafter : null;
    const request = { target, drafter, source: this.encode(input), settings, signal, readToken, trace };
    for await (const event of generate(request)) {
      if (event.kind === 'done') return resultWith(event.result, watch);
      if (event.kind === 'failed') throw event.error;
      await turns.give();
      yield event;
    }
    throw new Error('stream: expected a result, found none');
  }

  /** Decodes to the end. Takes and throws what `stream` does. */
  async generate(input: string | readonly number[], options: GenerateOptions = {}): Promise<GenerateResult> {
    const run = this.stream(input, options);
    for (;;) {
      const step = await run.next();
      if (step.done) return step.value;
    }
  }

  /**
   * Decodes an input twice in one run, speculatively and autoregressively, after a short warm-up of both, so that times
   * compare.
   */
  async compare(input: string | readonly number[], options: GenerateOptions = {}): Promise<Comparison> {
    await this.warmUp(input, options);
    const speculative = await this.generate(input, options);
    const autoregressive = await this.generate(input, { ...options, trace: undefined, speculative: false });
    return comparison(speculative, autoregressive, options);
  }

  /** Runs both ways over a few tokens, so that what is timed next runs on compiled code. */
  async warmUp(input: string | readonly number[], options: GenerateOptions = {}): Promise<void> {
    const few = Math.min(options.maxNewTokens ?? 128, 12);
    for (const speculative of [false, true]) {
      await this.generate(input, { ...options, trace: undefined, maxNewTokens: few, speculative });
    }
  }

  /**
   * Decodes several inputs at once, in one call of the target a round; finished ones make room for those that wait. Each comes out
   * as it would alone with the stream `main` (the first), `line 2`, `line 3` and so on. An input that fails, fails alone.
   *
   * @throws DecodingError `aborted`, or `option-invalid` for the concurrency
   */
  generateBatch(
    inputs: Iterable<string | readonly number[]>,
    options: BatchGenerateOptions = {},
  ): AsyncGenerator<BatchProgress, void, void> {
    return batchOf(this.#loaded, inputs, options);
  }

  /**
   * Beam search as Hugging Face's `generate(num_beams=…)`; the draft, if it is a model, only saves target calls.
   *
   * @throws DecodingError `option-invalid`, `no-token-left` or `aborted`
   */
  beamSearch(input: string | readonly number[], options: BeamSearchOptions = {}): Promise<TextBeams> {
    return beamsOf(this.#loaded, input, options);
  }

  /**
   * Measures c and v(1…rows) of this pair on an input, for `costs`: γ then adapts to what the draft achieves.
   *
   * @throws DecodingError `option-invalid` without a draft
   */
  async measureCosts(input: string | readonly number[], rows?: number): Promise<CostTable> {
    const { drafter, target } = this.#loaded;
    if (drafter === null) throw new DecodingError('option-invalid', 'costs: expected a draft to measure, found none');
    return measureCosts(target, drafter, { source: this.encode(input), rows });
  }

  /** Frees all models and ends the backend's threads. */
  async dispose(): Promise<void> {
    const { target, drafts, backend } = this.#loaded;
    for (const draft of drafts) draft.dispose();
    target.dispose();
    await backend.dispose();
  }
}
