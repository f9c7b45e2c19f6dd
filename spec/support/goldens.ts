import type { ModelOptions } from '../../engine';
import type { Backend } from '../../kernels';
import { goldenBytes } from './golden-files.node';

export { goldenCheckpoint, goldenFamilies } from './golden-files.node';

type Observe = NonNullable<ModelOptions['observe']>;

/** Goldens as scripts/goldens writes them: Hugging Face's T5 in PyTorch, float32. */
export interface GoldenCase {
  /** What the source says, where it is text. */
  readonly text?: string;
  readonly source: readonly number[];
  /** Decoder ids, start token first. */
  readonly decoder: readonly number[];
  /** Decoder rows whose logits are recorded. */
  readonly rows: readonly number[];
  /** Whether every layer's tensors are recorded too. */
  readonly layers: boolean;
  readonly greedy?: GoldenGreedy;
}

export interface GoldenGreedy {
  readonly tokens: readonly number[];
  /** Distance between the top two logits at each step. */
  readonly gaps: readonly number[];
}

export interface GoldenSentence {
  readonly ref: string;
  readonly source: readonly number[];
  readonly greedy: GoldenGreedy;
  readonly text: string;
}

export interface GoldenBeams {
  readonly source: readonly number[];
  readonly eos: number;
  readonly maxNewTokens: number;
  readonly settings: readonly {
    readonly beams: number;
    readonly lengthPenalty: number;
    readonly earlyStopping: boolean;
    /** Best first; scores are summed log-probabilities over length to the power of the penalty. */
    readonly sequences: readonly { readonly tokens: readonly number[]; readonly score: number }[];
  }[];
}

export interface Golden {
  readonly checkpoint: string;
  /** Decoder layer whose cross-attention keys and values are recorded. */
  readonly crossLayer: number;
  readonly cases: readonly GoldenCase[];
  readonly sentences?: readonly GoldenSentence[];
  readonly beamSearch?: readonly GoldenBeams[];
  /** Of the bundled model's file that the golden belongs to. */
  readonly sha256?: string;
}

export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export function readGolden(name: string): Golden {
  return JSON.parse(new TextDecoder().decode(goldenBytes(`${name}.json`)));
}

/** Recorded tensors, named `<case>.<name>`. Read here by hand: a golden must not lean on the reader under test. */
export function readGoldenTensors(name: string): Map<string, GoldenTensor> {
  return parseTensors(goldenBytes(`${name}.tensors.safetensors`));
}

export function parseTensors(file: Uint8Array): Map<string, GoldenTensor> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const headerLength = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + headerLength)));
  const tensors = new Map<string, GoldenTensor>();
  for (const [tensor, info] of Object.entries<{ shape: number[]; data_offsets: [number, number] }>(header)) {
    const [begin, end] = info.data_offsets;
    const start = 8 + headerLength + begin;
    const values = Float32Array.from({ length: (end - begin) / 4 }, (_, i) => view.getFloat32(start + 4 * i, true));
    tensors.set(tensor, { shape: info.shape, values });
  }
  return tensors;
}

/** Largest difference, as a share of the golden's largest magnitude. */
export function relativeError(found: ArrayLike<number>, golden: ArrayLike<number>): number {
  if (found.length !== golden.length) throw new Error(`expected ${golden.length} values, found ${found.length}`);
  let worst = 0;
  let scale = 0;
  for (let i = 0; i < golden.length; i++) {
    const difference = Math.abs(found[i] - golden[i]);
    if (Number.isNaN(difference)) return Number.NaN; // which is no less than any tolerance
    worst = Math.max(worst, difference);
    scale = Math.max(scale, Math.abs(golden[i]));
  }
  return worst / scale;
}

export interface TensorRecorder {
  readonly observe: Observe;
  /** What a model shows while `run` runs it, as copies. */
  during(run: () => Promise<void>): Promise<Map<string, Float32Array>>;
}

export function tensorRecorder(backend: Backend): TensorRecorder {
  let seen: [string, Promise<Float32Array>][] | null = null;
  return {
    observe: (name, tensor) => {
      seen?.push([name, backend.read(tensor)]);
    },
    async during(run) {
      const own: [string, Promise<Float32Array>][] = [];
      seen = own;
      await run();
      seen = null;
      return new Map(await Promise.all(own.map(async ([name, values]) => [name, await values] as const)));
    },
  };
}
