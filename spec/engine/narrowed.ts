import type { T5Model } from '../../engine';
import type { Backend, Dtype } from '../../kernels';
import type { T5Config } from '../../weights';
import type { TensorData } from '../../weights/safetensors/writer';
import { COPIED } from '../support/copied';
import { logitsOf } from '../support/forward';
import { memoryCheckpoint, randomTensors } from '../support/random-checkpoint';

export type Tensors = Map<string, TensorData>;

export const wordsOf = ({ data }: TensorData) => new Uint32Array(data.buffer, data.byteOffset, data.length / 4);
const isMatrix = (name: string, { shape }: { shape: readonly number[] }) =>
  shape.length === 2 && !/relative_attention_bias/.test(name);
export const matricesOf = <T extends { shape: readonly number[] }>(tensors: ReadonlyMap<string, T>) =>
  [...tensors].filter(([name, data]) => isMatrix(name, data));
/** Whether a step of decoding reads a matrix: those that a copy of the decoder has of its own, and the embedding. */
export const isOfSteps = (name: string) => COPIED.test(name) || name === 'shared.weight';
/** The matrices that are kept in bf16 where their values fit. */
export const stepMatricesOf = (tensors: Tensors) => matricesOf(tensors).filter(([name]) => isOfSteps(name));
/** Types of a file whose values fit. */
export const narrowType = (name: string) => (isOfSteps(name) ? 'bf16' : 'f32');

/** Values of bfloat16 at its edges: −0, its least subnormals, and its least normal number. */
export const EDGES = [0x80000000, 0x00010000, 0x80030000, 0x00800000];

/** Random float32 tensors whose every value is one of bfloat16, with those of the edges among them. */
export function narrowTensors(config: T5Config, seed: number, untied = false): Tensors {
  const tensors = randomTensors(config, seed, untied);
  for (const data of tensors.values()) {
    const words = wordsOf(data);
    for (let i = 0; i < words.length; i++)
      words[i] = (i + seed) % 11 === 0 ? EDGES[(i >> 2) % 4] : words[i] & 0xffff0000;
  }
  return tensors;
}

export const checkpointOf = (config: T5Config, tensors: Tensors) => memoryCheckpoint('model', config, tensors);

/** Bytes of the matrices on a backend. */
export const bytesIn = (
  { facts }: Backend,
  tensors: ReadonlyMap<string, { shape: readonly number[] }>,
  typeOf: (name: string) => Dtype,
) =>
  matricesOf(tensors).reduce((sum, [name, { shape }]) => sum + facts.weightBytes(shape[0], shape[1], typeOf(name)), 0);

const SOURCES = [[1, 2, 0], [3], [4, 0, 1, 2, 3, 1]];

/** Every bit of what a model computes: encoder states of several sources, and logits of one row and of several. */
export async function bitsOf(model: T5Model): Promise<string> {
  const states = await model.encoderStates(SOURCES);
  const logits = await logitsOf(model, SOURCES[2], [[0], [3, 1, 4, 2], [2]], {});
  const all = [...states, ...logits.map((row) => Float32Array.from(row))];
  return all.map((values) => Buffer.from(values.buffer).toString('hex')).join(' ');
}
