import { goldenBytes } from './golden-files.node';

/** What `scripts/goldens/stated.py` recorded of one model whose files state something. */
interface StatedGolden {
  readonly activations: {
    readonly source: readonly number[];
    readonly decoder: readonly number[];
    readonly rows: readonly number[];
    readonly cases: readonly {
      readonly config: { readonly feed_forward_proj: string };
      readonly greedy: readonly number[];
    }[];
    /** Functions that Hugging Face has and Tandem has not. */
    readonly others: readonly string[];
  };
  readonly generation: {
    readonly eos: number;
    readonly cases: readonly GenerationCase[];
    /** Sampled: the golden tensor `sampled.<i>` is the distribution of the first token. */
    readonly sampled: readonly Pick<GenerationCase, 'generation' | 'options'>[];
  };
  readonly int8: { readonly greedy: readonly number[] };
}

export interface GenerationCase {
  /** generation_config.json; null: there is none. */
  readonly generation: object | null;
  /** Keys that config.json has besides. */
  readonly config: object;
  /** What the caller says. */
  readonly options: object;
  /** New tokens of every sequence. */
  readonly sequences: readonly (readonly number[])[];
}

export const statedGolden: StatedGolden = JSON.parse(new TextDecoder().decode(goldenBytes('stated.json')));
