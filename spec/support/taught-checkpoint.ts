import { loadModel } from '../../engine';
import { createBackend } from '../../kernels';
import type { T5Config } from '../../weights';
import type { TensorData } from '../../weights/safetensors/writer';
import { HEAD_NAME } from '../../weights/tensors';
import { memoryCheckpoint, randomTensors } from './random-checkpoint';

/** Distance between the logits of the answer's token and of its other tokens. All other tokens have logits of 0. */
const SCALE = 10;

/**
 * Random weights whose head is solved for, so that greedy decoding of a source gives an answer: what ids a model says is then
 * known, and a spec looks at what is done with them.
 *
 * @param config without a tied head
 * @param answer ids with their EOS; fewer than dModel
 */
export async function taughtTensors(
  config: T5Config,
  seed: number,
  { source, answer }: { source: readonly number[]; answer: readonly number[] },
): Promise<Map<string, TensorData>> {
  const tensors = randomTensors(config, seed, true);
  const width = config.dModel;
  const states = await decoderStates(config, tensors, source, [config.startToken, ...answer.slice(0, -1)]);
  const products = states.map((a) => states.map((b) => a.reduce((sum, value, i) => sum + value * b[i], 0)));
  const head = new Float32Array(config.vocabularySize * width); // [vocabulary, dModel]
  for (const token of new Set(answer)) {
    const weights = solve(
      products,
      answer.map((one) => (one === token ? SCALE : -SCALE)),
    );
    for (let i = 0; i < width; i++) {
      head[token * width + i] = weights.reduce((sum, weight, k) => sum + weight * states[k][i], 0);
    }
  }
  return tensors.set(HEAD_NAME, headOf(config, head));
}

const headOf = ({ vocabularySize, dModel }: T5Config, values: Float32Array): TensorData => {
  return { type: 'F32', shape: [vocabularySize, dModel], data: new Uint8Array(values.buffer) };
};

/** Outputs of the decoder for ids, [ids.length, dModel]: the logits of a head that is the identity. */
async function decoderStates(
  config: T5Config,
  tensors: ReadonlyMap<string, TensorData>,
  source: readonly number[],
  ids: readonly number[],
): Promise<Float32Array[]> {
  const { dModel } = config;
  const identity = new Float32Array(config.vocabularySize * dModel);
  for (let i = 0; i < dModel; i++) identity[i * dModel + i] = 1;
  const plain = new Map(tensors).set(HEAD_NAME, headOf(config, identity));
  const backend = await createBackend('cpu');
  const model = await loadModel(memoryCheckpoint('identity', config, plain), backend);
  const [encoded] = await model.encode([source]);
  const stream = encoded.open();
  const view = await model.forward(ids.map((token, i) => ({ stream, token, position: i, parent: i - 1 })));
  const states: Float32Array[] = [];
  for (let row = 0; row < ids.length; row++) states.push((await view.read(row)).slice(0, dModel));
  await backend.dispose();
  return states;
}

/** The x of a · x = b, by elimination. */
function solve(a: readonly (readonly number[])[], b: readonly number[]): number[] {
  const rows = a.map((row, i) => [...row, b[i]]);
  for (const [i, row] of rows.entries()) {
    for (const [j, other] of rows.entries()) {
      if (i === j) continue;
      const factor = other[i] / row[i];
      for (let k = i; k < other.length; k++) other[k] -= factor * row[k];
    }
  }
  return rows.map((row, i) => row[row.length - 1] / row[i]);
}
