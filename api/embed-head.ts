import { decodeStored, type StoredValueType } from '../kernels';
import { type EmbeddingStep, type EmbeddingSteps, type Pooling, type StoredTensor, WeightsError } from '../weights';

/** The types of a dense layer's values. */
const TYPES: Readonly<Record<string, StoredValueType>> = { F32: 'f32', F16: 'f16', BF16: 'bf16' };

/** A layer after pooling, ready to compute with. */
type Layer =
  | { readonly kind: 'normalize' }
  | {
      readonly kind: 'dense';
      readonly weight: Float32Array; // [outputs, inputs]
      readonly bias: Float32Array | null; // [outputs]
      readonly activation: 'identity' | 'tanh' | 'relu';
    };

/** What makes an embedding of a text's encoder states. */
export interface EmbeddingHead {
  readonly maxTokens: number | null;
  readonly pooling: readonly Pooling[];
  readonly layers: readonly Layer[];
}

/** Without modules.json an embedding is the mean of the states, as it is. */
export const PLAIN: EmbeddingHead = { maxTokens: null, pooling: ['mean'], layers: [] };

/** Converts the steps of a checkpoint. @throws WeightsError `type-unsupported` */
export function embeddingHead(steps: EmbeddingSteps | null): EmbeddingHead {
  return steps === null ? PLAIN : { ...steps, layers: steps.steps.map(layerOf) };
}

function layerOf(step: EmbeddingStep): Layer {
  if (step.kind === 'normalize') return step;
  return { ...step, weight: floatsOf(step.weight), bias: step.bias && floatsOf(step.bias) };
}

function floatsOf({ info, bytes }: StoredTensor): Float32Array {
  const stored = TYPES[info.type];
  if (stored) return decodeStored(bytes, stored);
  throw new WeightsError(
    'type-unsupported',
    `${info.file}: ${info.name}: expected F32, F16 or BF16, found ${info.type}`,
  );
}

/**
 * The embedding of a text.
 *
 * @param states its encoder states, [tokens, width]
 */
export function embeddingOf(states: Float32Array, width: number, head: EmbeddingHead): Float32Array {
  const pooled = head.pooling.map((pooling) => pool(states, width, pooling));
  let vector = Float32Array.from(pooled.flatMap((part) => [...part]));
  for (const layer of head.layers) vector = layer.kind === 'normalize' ? normalized(vector) : dense(vector, layer);
  return vector;
}

function pool(states: Float32Array, width: number, pooling: Pooling): Float64Array {
  const tokens = states.length / width;
  const pooled = Float64Array.from(states.subarray(0, width));
  if (pooling === 'cls') return pooled;
  for (let i = width; i < states.length; i++) {
    const at = i % width;
    pooled[at] = pooling === 'max' ? Math.max(pooled[at], states[i]) : pooled[at] + states[i];
  }
  if (pooling === 'max') return pooled;
  return pooled.map((sum) => sum / (pooling === 'mean' ? tokens : Math.sqrt(tokens)));
}

function dense(input: Float32Array, layer: Extract<Layer, { kind: 'dense' }>): Float32Array<ArrayBuffer> {
  const { weight, bias, activation } = layer;
  const outputs = weight.length / input.length;
  if (!Number.isInteger(outputs)) {
    const found = `${weight.length} weights`;
    throw new WeightsError('tensor-invalid', `dense: expected a matrix of ${input.length} inputs, found ${found}`);
  }
  return Float32Array.from({ length: outputs }, (_, row) => {
    let sum = bias?.[row] ?? 0;
    for (let i = 0; i < input.length; i++) sum += weight[row * input.length + i] * input[i];
    return activation === 'tanh' ? Math.tanh(sum) : activation === 'relu' ? Math.max(0, sum) : sum;
  });
}

/** The vector of length 1 in this direction; as torch has it, a vector of zeros stays one. */
export function normalized(vector: Float32Array): Float32Array<ArrayBuffer> {
  const length = Math.max(Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0)), 1e-12);
  return Float32Array.from(vector, (value) => value / length);
}
