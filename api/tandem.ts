import { ASYNC_DISPOSE, checkOptions, invalid, TandemError } from '../common';
import type { CostTable } from '../decoding';
import { Call, type LiveCalls } from './call';
import type { ModelSource } from './drafts/types';
import { checkEmbed, type EmbedOptions } from './embed-options';
import type { Engine } from './engine';
import { checkInput, checkSource, isMany } from './inputs';
import { planLoad } from './load';
import { openLocalEngine } from './local';
import { checkCompare, checkGenerate, checkGiven, checkLoad, checkMeasure } from './options';
import { checkScore, type Score, type ScoreOptions } from './score-options';
import { checkModel } from './sources/check';
import { checkInForce, comparedInForce, optionsInForce } from './start';
import { TokenStream } from './stream';
import { DECODE_OPTIONS, type DecodeIdsOptions, ENCODE_OPTIONS, type EncodeInputOptions } from './text-options';
import type {
  BatchResult,
  CompareOptions,
  Comparison,
  EngineFacts,
  GenerateOptions,
  Input,
  LoadedParts,
  LoadOptions,
  MeasureCostsOptions,
  ModelFacts,
  Result,
} from './types';
import { openWorkerEngine } from './worker/client';

/** A target and, if there is one, a draft, loaded and ready to decode. */
export class Tandem {
  readonly #engine: Engine;
  readonly #live: LiveCalls = new Set();
  #disposal: Promise<void> | null = null;

  /** @internal Programs call `Tandem.load`. */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Loads a model and a draft. Without a model it is the bundled pair: King James English to modern English.
   *
   * ```ts
   * const tandem = await Tandem.load('google/flan-t5-base', { draft: 'copy' });
   * ```
   *
   * @throws TandemError `option-invalid` or `argument-invalid`; WeightsError, KernelError or EngineError when a checkpoint is
   * broken or does not fit; DecodingError `vocabulary-mismatch` when draft and target have different token ids
   */
  static async load(model?: ModelSource, options: LoadOptions = {}): Promise<Tandem> {
    checkModel(model);
    checkLoad(options);
    const plan = await planLoad(model, options);
    return new Tandem(options.worker ? await openWorkerEngine(plan, options) : await openLocalEngine(plan, options));
  }

  /** The model whose distribution comes out. */
  get target(): ModelFacts {
    return this.#engine.facts.target;
  }

  /** The model that drafts; null where no model does. Of several, the first. */
  get draft(): ModelFacts | null {
    return this.#engine.facts.draft;
  }

  /** Name of what proposes tokens, a model or not; null where nothing does. */
  get drafter(): string | null {
    return this.#engine.facts.drafter;
  }

  /** What computes: backend, feature level and threads. */
  get backend(): EngineFacts {
    return this.#engine.facts.backend;
  }

  /** Text put before every input. */
  get prefix(): string {
    return this.#engine.facts.prefix;
  }

  /** Whether there is a tokenizer. Without one only ids go in, and the text of results is empty. */
  get hasTokenizer(): boolean {
    return this.#engine.facts.hasTokenizer;
  }

  /** The loaded parts, for use with `tandem-t5/core`; null where they are in a worker. */
  get core(): LoadedParts | null {
    return this.#engine.parts;
  }

  /**
   * Decodes several inputs at once, in one call of the target a round. Each comes out as it would alone, bit for bit. Where one
   * fails, its place in the results has the error, and the others go on.
   *
   * @throws TandemError `option-invalid`, `config-invalid`, `argument-invalid`, `aborted` or `disposed`
   */
  generate(inputs: readonly Input[], options?: GenerateOptions): Promise<BatchResult[]>;
  /**
   * Decodes an input to its end. Greedy output is the same in every bit with and without a draft; sampled output has the
   * target's distribution.
   *
   * @param input text, or source ids with their closing EOS
   * @throws TandemError `option-invalid`, `config-invalid` for what the checkpoint states of generation and cannot be followed,
   * `argument-invalid`, `aborted` or `disposed`; DecodingError `no-token-left`; EngineError
   * `source-invalid`
   */
  generate(input: Input, options?: GenerateOptions): Promise<Result>;
  async generate(input: Input | readonly Input[], options: GenerateOptions = {}): Promise<Result | BatchResult[]> {
    return this.#stream(input, options, { where: 'generate', keepEvents: false }).result;
  }

  /** As for one input; every event has the place of its input as `index`. Inputs that fail do so as `failed` events. */
  stream(inputs: readonly Input[], options?: GenerateOptions): TokenStream<BatchResult[]>;
  /**
   * Decodes an input and gives its tokens as they become certain, several at once after a round. Takes what `generate` takes.
   *
   * ```ts
   * for await (const event of tandem.stream('…')) if (event.kind === 'token') process.stdout.write(event.text);
   * ```
   *
   * @throws TandemError `option-invalid`, `argument-invalid` or `disposed` at once; everything else while it is read
   */
  stream(input: Input, options?: GenerateOptions): TokenStream<Result>;
  stream(input: Input | readonly Input[], options: GenerateOptions = {}): TokenStream<Result | BatchResult[]> {
    return this.#stream(input, options, { where: 'stream', keepEvents: true });
  }

  /**
   * Decodes an input with the draft and without it, in turns in one run, so that their times can be compared.
   *
   * @throws as `generate`
   */
  async compare(input: Input, options: CompareOptions = {}): Promise<Comparison> {
    checkSource(input, 'compare');
    checkCompare(options);
    const { target, generation } = this.#engine.facts;
    const inForce = comparedInForce(generation, options, target.vocabularySize);
    checkInForce(generation, options, inForce, checkCompare);
    this.#checkSendable(inForce);
    return this.#whole(options.signal, (signal) => this.#engine.compare(input, inForce, signal));
  }

  /**
   * The options of a call as they are in force: those that are given, and what the checkpoint states of others in
   * generation_config.json. What neither says has its default.
   *
   * @throws TandemError `option-invalid` as `generate`; `config-invalid` for what the checkpoint states and Tandem does not do
   */
  resolveOptions(options: GenerateOptions = {}): GenerateOptions {
    return this.#inForce(options, 'resolveOptions', 1);
  }

  /** Scores many targets of one source, which is encoded once. Each has the bits that it has alone. @throws as for one target */
  score(source: Input, targets: readonly Input[], options?: ScoreOptions): Promise<Score[]>;
  /**
   * The log-probability of a target after a source, of each token and in all: the model's own, log-softmax of its logits.
   *
   * @param target text, whose closing EOS is scored too, or ids, which are scored as they are
   * @throws TandemError `option-invalid`, `argument-invalid`, `aborted` or `disposed`; DecodingError `argument-invalid` for a target
   * without tokens or `token-invalid`; EngineError `source-invalid`
   */
  score(source: Input, target: Input, options?: ScoreOptions): Promise<Score>;
  async score(source: Input, target: Input | readonly Input[], options: ScoreOptions = {}): Promise<Score | Score[]> {
    checkSource(source, 'score: source');
    const targets = isMany(target) ? target : [target];
    targets.forEach((one, i) => {
      checkInput(one, isMany(target) ? `score: target ${i}` : 'score: target');
    });
    checkScore(options);
    const scores = await this.#whole(options.signal, (signal) => this.#engine.score(source, targets, options, signal));
    return isMany(target) ? scores : scores[0];
  }

  /** Embeds many inputs in few calls of the encoder. Each has the bits that it has alone. @throws as for one input */
  embed(inputs: readonly Input[], options?: EmbedOptions): Promise<Float32Array[]>;
  /**
   * The vector of a text: its encoder states, pooled as the checkpoint says. A model without a decoder does this and nothing else.
   *
   * @returns [dModel], or as wide as the checkpoint's last step; with `pooling: 'none'` the states, [tokens, dModel]
   * @throws TandemError `option-invalid`, `argument-invalid`, `aborted` or `disposed`; EngineError `source-invalid`
   */
  embed(input: Input, options?: EmbedOptions): Promise<Float32Array>;
  async embed(input: Input | readonly Input[], options: EmbedOptions = {}): Promise<Float32Array | Float32Array[]> {
    const inputs = isMany(input) ? input : [input];
    inputs.forEach((one, i) => {
      checkSource(one, isMany(input) ? `embed: input ${i}` : 'embed');
    });
    checkEmbed(options);
    const vectors = await this.#whole(options.signal, (signal) => this.#engine.embed(inputs, options, signal));
    return isMany(input) ? vectors : vectors[0];
  }

  /**
   * Measures what a draft step and target calls of 1, 2, … rows cost on an input, for the option `costs`: γ then adapts to what
   * the draft achieves.
   *
   * @returns c and v(1), v(2), …, in one-row target calls
   * @throws DecodingError `option-invalid` without a draft
   */
  async measureCosts(input: Input, options: MeasureCostsOptions = {}): Promise<CostTable> {
    checkSource(input, 'measureCosts');
    checkMeasure(options);
    return this.#whole(options.signal, (signal) => this.#engine.measureCosts(input, options, signal));
  }

  /** Source ids of an input: of text those of prefix and text, with the closing EOS. */
  async encode(input: Input, options: EncodeInputOptions = {}): Promise<number[]> {
    checkInput(input, 'encode');
    checkOptions(options, ENCODE_OPTIONS, 'encode');
    this.#alive();
    return this.#engine.encode(input, options);
  }

  /** Text of ids, without special tokens unless `skipSpecialTokens` is false. */
  async decode(ids: readonly number[], options: DecodeIdsOptions = {}): Promise<string> {
    checkInput(ids, 'decode');
    checkOptions(options, DECODE_OPTIONS, 'decode');
    this.#alive();
    return this.#engine.decodeIds(ids, options);
  }

  /** Ends every call that is under way, frees the models, and ends threads and worker. Calls after the first do nothing. */
  dispose(): Promise<void> {
    this.#disposal ??= this.#disposeAll();
    return this.#disposal;
  }

  [ASYNC_DISPOSE](): Promise<void> {
    return this.dispose();
  }

  async #disposeAll(): Promise<void> {
    await Promise.allSettled([...this.#live].map((call) => call.end(disposed())));
    await this.#engine.dispose();
  }

  #alive(): void {
    if (this.#disposal) throw disposed();
  }

  #checkSendable(options: GenerateOptions): void {
    for (const name of this.#engine.notSendable) {
      if (options[name] !== undefined)
        throw invalid(name, 'none with worker: true, where it cannot be sent', options[name]);
    }
  }

  #inForce(options: GenerateOptions, where: string, inputs: number): GenerateOptions {
    const { target, generation } = this.#engine.facts;
    checkGiven(options, where);
    const inForce = optionsInForce(generation, options, target.vocabularySize);
    checkInForce(generation, options, inForce, (all) => checkGenerate(all, where, inputs));
    return inForce;
  }

  #stream(
    input: Input | readonly Input[],
    options: GenerateOptions,
    { where, keepEvents }: { where: string; keepEvents: boolean },
  ): TokenStream<never> {
    this.#alive();
    const inputs = isMany(input) ? input : [input];
    inputs.forEach((one, i) => {
      checkSource(one, isMany(input) ? `${where}: input ${i}` : where);
    });
    const inForce = this.#inForce(options, where, inputs.length);
    this.#checkSendable(inForce);
    const engine = this.#engine;
    const call = new Call((signal) => engine.decode(inputs, inForce, signal), this.#live, options.signal);
    const sequences = inForce.numReturnSequences ?? 1;
    return new TokenStream(call, { inputs: isMany(input) ? inputs.length : null, sequences, keepEvents });
  }

  /** Runs a call that has no events, so that a cancel and `dispose` end it as they end one that has. */
  async #whole<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#alive();
    const start = async function* (ended: AbortSignal): AsyncGenerator<T, void, void> {
      yield await work(ended);
    };
    const call = new Call(start, this.#live, signal);
    const value = await call.next();
    await call.next(); // which ends it
    return value as T;
  }
}

function disposed(): TandemError {
  return new TandemError('disposed', 'tandem: expected one that is loaded, found it disposed');
}
