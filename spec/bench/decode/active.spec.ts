import { activeLine, watchActive } from '../../../bench/decode/active';
import { loadModel } from '../../../engine';
import { createBackend } from '../../../kernels';
import { memoryCheckpoint, randomTensors, tinyConfig } from '../../support/random-checkpoint';

const DECODER_INPUTS = /^decoder\.block\.(\d+)\..*\.wi\.weight$/;

/**
 * Tensors whose decoder has `pairs[i]` pairs of units in layer i, each a row and its negative, and zeros for the rest: of every pair
 * one unit is above zero, whatever the input.
 */
function pairedTensors(config: ReturnType<typeof tinyConfig>, pairs: readonly number[]) {
  const tensors = randomTensors(config, 3);
  for (const [name, { data }] of tensors) {
    const layer = DECODER_INPUTS.exec(name)?.[1];
    if (layer === undefined) continue;
    const values = new Float32Array(data.buffer, data.byteOffset, config.dFf * config.dModel);
    const rows = Array.from({ length: config.dFf }, (_, i) =>
      values.subarray(i * config.dModel).subarray(0, config.dModel),
    );
    for (const [i, row] of rows.entries()) {
      if (i >= 2 * pairs[Number(layer)]) row.fill(0);
      else if (i % 2 === 1) row.set(rows[i - 1].map((value) => -value));
    }
  }
  return tensors;
}

test.each(['reference', 'wasm'] as const)(
  'each layer of the decoder has its share, over all rows (%s)',
  async (name) => {
    const config = tinyConfig({ dFf: 20 });
    const watched = watchActive(await createBackend(name));
    const checkpoint = memoryCheckpoint('paired', config, pairedTensors(config, [10, 4, 0]));
    const model = await loadModel(checkpoint, watched.backend);
    const [encoded] = await model.encode([[5, 6, 1]]);
    const stream = encoded.open();
    const decode = async (rows: number) => {
      const from = stream.length;
      const call = Array.from({ length: rows }, (_, i) => ({
        stream,
        token: 5 + i,
        position: from + i,
        parent: i - 1,
      }));
      (await model.forward(call)).dispose();
    };
    expect(await watched.activeIn(() => decode(3))).toEqual([0.5, 0.2, 0]);
    await decode(1);
    expect(await watched.activeIn(() => decode(1))).toEqual([0.5, 0.2, 0]);
    await watched.backend.dispose();
  },
);

test('only a relu counts, gated too, and only while it is watched', async () => {
  const inner = await createBackend('reference');
  const { backend, activeIn } = watchActive(inner);
  const [x, gate, out] = [backend.tensor(), backend.tensor(), backend.tensor()];
  backend.write(x, 2, 4, Float32Array.of(1, -1, 0, 2, -3, -4, -5, 6));
  backend.write(gate, 2, 4, Float32Array.of(-1, -1, 1, -1, 1, 1, 1, 1));
  const read = jest.spyOn(inner, 'read');
  backend.activation(out, x, 'relu', null);
  expect(read).not.toHaveBeenCalled();
  const shares = await activeIn(async () => {
    backend.activation(out, x, 'relu', gate);
    backend.activation(out, x, 'gelu_new', null);
    backend.activation(out, gate, 'relu', null);
  });
  expect(shares).toEqual([3 / 8, 5 / 8]);
  await expect(activeIn(() => Promise.reject(new Error('stopped')))).rejects.toThrow('stopped');
  backend.activation(out, x, 'relu', null);
  expect(read).toHaveBeenCalledTimes(2);
  await backend.dispose();
});

test('the line has the mean and the layers that are furthest from it; without a relu there is none', () => {
  expect(activeLine([0.02, 0.044, 0.029])).toBe('active feed-forward units: 3.1 % (least 2.0, most 4.4 by layer)');
  expect(activeLine([])).toBeNull();
});
