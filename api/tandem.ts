import { type Drafter, type GenerationResult, generate, modelDrafter } from '../decoding';
import type { T5Model } from '../engine';
import type { BackendFacts } from '../kernels';
import type { TextStream, Tokenizer } from '../weights';
import { comparison } from './comparison';
import { type Loaded, load, sourceIds } from './load';
import { StopWatch } from './stops';
import { Turns } from './turns.node';
import type { Comparison, GenerateOptions, GenerateResult, LoadOptions, StreamedToken } from './types';

/** Stands in where there is no tokenizer: ids come out, text stays empty. */
const NO_TEXT: TextStream = { push: () => '', end: () => '' };

/** A target and, if there is one, a draft on a backend, ready to decode. */
export class Tandem {
  readonly #loaded: Loaded;
  readonly #drafter: Drafter | null;

  private constructor(loaded: Loaded) {
    this.#loaded = loaded;
    this.#drafter = loaded.draft && modelDrafter(loaded.draft, loaded.draft.name);
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

  get draft(): T5Model | null {
    return this.#loaded.draft;
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
   * @throws DecodingError `setting-invalid`, `no-token-left` or `aborted`; EngineError `source-invalid`
   */
  async *stream(
    input: string | readonly number[],
    options: GenerateOptions = {},
  ): AsyncGenerator<StreamedToken, GenerateResult, void> {
    const { signal, stop = [], speculative = true, ...settings } = options;
    const { target, tokenizer } = this.#loaded;
    const watch = new StopWatch(tokenizer?.stream() ?? NO_TEXT, stop);
    const turns = new Turns();
    let piece = '';
    const stopAfter = (token: number) => {
      piece = watch.push(token);
      return watch.stopped;
    };
    const drafter = speculative ? this.#drafter : null;
    const request = { target, drafter, source: this.encode(input), settings, signal, stopAfter };
    const run = generate(request);
    for (;;) {
      piece = '';
      const step = await run.next();
      if (step.done) return this.#result(step.value, watch);
      await turns.give();
      yield { ...step.value, text: piece };
    }
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
    const autoregressive = await this.generate(input, { ...options, speculative: false });
    return comparison(speculative, autoregressive, options.gamma);
  }

  /** Runs both ways over a few tokens, so that what is timed next runs on compiled code. */
  async warmUp(input: string | readonly number[], options: GenerateOptions = {}): Promise<void> {
    const few = Math.min(options.maxNewTokens ?? 128, 12);
    for (const speculative of [false, true]) {
      await this.generate(input, { ...options, maxNewTokens: few, speculative });
    }
  }

  /** Frees both models and ends the backend's threads. */
  async dispose(): Promise<void> {
    const { target, draft, backend } = this.#loaded;
    draft?.release();
    target.release();
    await backend.dispose();
  }

  #result(result: GenerationResult, watch: StopWatch): GenerateResult {
    watch.end();
    const { ids, stopReason, metrics } = result;
    return { text: watch.text, ids, stopReason, metrics };
  }
}
