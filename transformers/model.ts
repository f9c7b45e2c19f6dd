import { type DraftSource, type GenerateOptions, type Input, type Result, Tandem } from '../api';
import { invalid, oneOf, quoted, TandemError } from '../common';
import type { Checkpoint } from '../weights';
import { type JsonObject, type PretrainedOptions, type ProgressInfo, ProgressTeller, readJson } from './files';
import { type GenerationParameters, generateOptions } from './generation';
import { type StoppingCriteria, StoppingCriteriaList } from './stopping-criteria';
import type { BaseStreamer } from './streamers';
import { type Ids, rowsOf, Tensor } from './tensor';

/** Options of loading, by the names of transformers.js, and Tandem's `draft` and `threads`. */
export interface ModelOptions extends PretrainedOptions {
  /** Type of weights in memory: `fp32`, `bf16`, `q8` or `int8`. Default, and `auto`: as stored. */
  readonly dtype?: string | null;
  /** What computes: `cpu` and `wasm` are the wasm backend, `webgpu` and `gpu` the gpu backend. Default `auto`, the fastest. */
  readonly device?: string | null;
  /** What proposes tokens, as in `Tandem.load`. Output is the same with any draft. Default: nothing. */
  readonly draft?: DraftSource | readonly DraftSource[] | null;
  /** Threads that compute. */
  readonly threads?: number;
}

/** Parameters of `generate`: inputs, hooks, and generation parameters by the names of Hugging Face. */
export interface GenerateParameters extends GenerationParameters {
  /** Source ids with their EOS, one row for each text: what the tokenizer gives. */
  readonly input_ids?: Ids;
  /** Another name of `input_ids`. */
  readonly inputs?: Ids;
  /** 1 keeps an id, 0 hides it. Default: pad tokens are hidden. */
  readonly attention_mask?: Ids;
  readonly generation_config?: JsonObject | null;
  readonly streamer?: BaseStreamer | null;
  readonly stopping_criteria?: StoppingCriteria | StoppingCriteriaList | readonly StoppingCriteria[] | null;
  readonly return_dict_in_generate?: boolean;
}

const DTYPES: Readonly<Record<string, 'f32' | 'bf16' | 'q8' | undefined>> = {
  auto: undefined,
  fp32: 'f32',
  float32: 'f32',
  bf16: 'bf16',
  bfloat16: 'bf16',
  q8: 'q8',
  int8: 'q8',
};

const DEVICES: Readonly<Record<string, 'auto' | 'wasm' | 'gpu'>> = {
  auto: 'auto',
  cpu: 'wasm',
  wasm: 'wasm',
  webgpu: 'gpu',
  gpu: 'gpu',
};

/** A T5 that generates. */
export class T5ForConditionalGeneration {
  /** @internal Programs call `AutoModelForSeq2SeqLM.from_pretrained`. */
  constructor(
    /** The loaded model, for what has no name in transformers.js: scores, embeddings, metrics. */
    readonly tandem: Tandem,
    /** config.json. */
    readonly config: JsonObject,
    /** generation_config.json, or where there is none config.json. */
    readonly generation_config: JsonObject,
    private readonly startToken: number,
  ) {}

  /**
   * Decodes source ids.
   *
   * @param parameters or the source ids alone
   * @returns ids of each sequence with the start token, [texts · num_return_sequences, longest], filled up with the pad token
   * @throws TandemError `option-invalid` or `argument-invalid`; what `Tandem.generate` throws
   */
  generate(
    parameters: GenerateParameters & { readonly return_dict_in_generate: true },
  ): Promise<{ readonly sequences: Tensor }>;
  generate(parameters: GenerateParameters | Tensor): Promise<Tensor>;
  async generate(parameters: GenerateParameters | Tensor): Promise<Tensor | { readonly sequences: Tensor }> {
    const given: GenerateParameters = parameters instanceof Tensor ? { inputs: parameters } : parameters;
    const { inputs, input_ids, attention_mask, streamer, stopping_criteria, ...named } = given;
    const { generation_config, return_dict_in_generate = false, ...rest } = named;
    const stated = { ...this.generation_config, ...generation_config };
    const options = generateOptions(stated, rest);
    const sources = this.sources(input_ids ?? inputs, attention_mask);
    const criteria = listOf(stopping_criteria ?? []);
    const hooked = streamer || criteria.criteria.length > 0;
    const rows = hooked
      ? await this.streamed(sources, options, { streamer: streamer ?? null, criteria })
      : await this.whole(sources, options);
    const sequences = this.tensorOf(rows);
    return return_dict_in_generate ? { sequences } : sequences;
  }

  /** Frees the model. */
  dispose(): Promise<void> {
    return this.tandem.dispose();
  }

  private get padToken(): number {
    const stated = this.generation_config.pad_token_id ?? this.config.pad_token_id;
    return typeof stated === 'number' ? stated : 0;
  }

  private sources(ids: Ids | undefined, mask: Ids | undefined): Input[] {
    if (ids === undefined) throw new TandemError('argument-invalid', 'generate: expected input_ids, found none');
    const rows = rowsOf(ids, 'input_ids');
    const masks = mask === undefined ? null : rowsOf(mask, 'attention_mask');
    if (masks !== null && (masks.length !== rows.length || masks.some((row, i) => row.length !== rows[i].length))) {
      throw new TandemError('argument-invalid', 'attention_mask: expected the shape of input_ids, found another');
    }
    return rows.map((row, i) => withoutPadding(row, masks?.[i] ?? row.map((id) => (id === this.padToken ? 0 : 1))));
  }

  private async whole(sources: readonly Input[], options: GenerateOptions): Promise<number[][]> {
    const results = await this.tandem.generate(sources, options);
    const failed = results.find((result) => result.error);
    if (failed) throw failed.error;
    return results.flatMap((result) => (result as Result).sequences.map(({ ids }) => [...ids]));
  }

  /** One source after the other, so that each can end where its criteria end it. */
  private async streamed(sources: readonly Input[], options: GenerateOptions, hooks: Hooks): Promise<number[][]> {
    const { streamer, criteria } = hooks;
    if (streamer && sources.length > 1) throw invalid('streamer', 'one source beside it', `${sources.length} sources`);
    if ((options.numReturnSequences ?? 1) > 1) {
      throw invalid('num_return_sequences', '1 beside a streamer or stopping criteria', options.numReturnSequences);
    }
    const rows: number[][] = [];
    for (const source of sources) {
      const ids = [BigInt(this.startToken)];
      streamer?.put([ids]);
      for await (const event of this.tandem.stream(source, options)) {
        if (event.kind !== 'token') continue;
        ids.push(BigInt(event.token));
        streamer?.put([[BigInt(event.token)]]);
        if (criteria([ids])[0]) break;
      }
      streamer?.end();
      rows.push(ids.slice(1).map(Number));
    }
    return rows;
  }

  private tensorOf(rows: readonly number[][]): Tensor {
    const longest = Math.max(...rows.map((row) => row.length));
    const fill = (row: number[]) => new Array<number>(longest - row.length).fill(this.padToken);
    return Tensor.ofRows(rows.map((row) => [this.startToken, ...row, ...fill(row)]));
  }
}

interface Hooks {
  readonly streamer: BaseStreamer | null;
  readonly criteria: StoppingCriteriaList;
}

/** Loads the weights of an open checkpoint; whoever opened it disposes it. */
export async function loadT5(checkpoint: Checkpoint, options: ModelOptions): Promise<T5ForConditionalGeneration> {
  const { dtype, device, draft = null, threads, progress_callback, cache_dir } = options;
  const config = (await readJson(checkpoint, 'config.json')) ?? {};
  const generation = (await readJson(checkpoint, 'generation_config.json')) ?? config;
  const { name } = checkpoint;
  const teller = progress_callback ? new ProgressTeller(name, progress_callback) : undefined;
  // What the checkpoint states of generation is merged with the parameters of each call, so Tandem itself starts from nothing.
  const tandem = await Tandem.load(
    { ...checkpoint, generation: undefined },
    {
      dtype: typeOf(dtype),
      backend: deviceOf(device),
      draft,
      threads,
      cacheDir: cache_dir ?? undefined,
      onProgress:
        teller &&
        (({ phase, role, loaded, total }) => {
          if (phase === 'load') teller.heard(role === 'target' ? 'weights' : 'weights of the draft', { loaded, total });
        }),
    },
  );
  teller?.end();
  const info: ProgressInfo = { status: 'ready', name, model: name };
  progress_callback?.(info);
  return new T5ForConditionalGeneration(tandem, config, generation, checkpoint.config.startToken);
}

function typeOf(dtype: unknown): 'f32' | 'bf16' | 'q8' | undefined {
  if (dtype === undefined || dtype === null) return undefined;
  const rule = oneOf(...Object.keys(DTYPES));
  if (!rule.holds(dtype)) throw invalid('dtype', rule.expected, dtype);
  return DTYPES[dtype as string];
}

function deviceOf(device: unknown): 'auto' | 'wasm' | 'gpu' {
  if (device === undefined || device === null) return 'auto';
  const rule = oneOf(...Object.keys(DEVICES));
  if (!rule.holds(device)) throw invalid('device', rule.expected, device);
  return DEVICES[device as string];
}

/** A row without what is hidden at its end. Where hidden ids are left between others, the mask stays. */
function withoutPadding(ids: readonly number[], mask: readonly number[]): Input {
  if (mask.some((keep) => keep !== 0 && keep !== 1)) {
    throw new TandemError(
      'argument-invalid',
      `attention_mask: expected 0 and 1, found ${quoted(mask.find((keep) => keep !== 0 && keep !== 1))}`,
    );
  }
  const length = mask.lastIndexOf(1) + 1;
  const kept = { ids: ids.slice(0, length), mask: mask.slice(0, length) };
  return kept.mask.includes(0) ? kept : kept.ids;
}

function listOf(criteria: StoppingCriteria | StoppingCriteriaList | readonly StoppingCriteria[]): StoppingCriteriaList {
  if (criteria instanceof StoppingCriteriaList) return criteria;
  const list = new StoppingCriteriaList();
  list.extend(criteria);
  return list;
}
