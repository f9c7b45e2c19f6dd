import { type Backend, createReferenceBackend, type Dtype, KernelError } from '../../../../kernels';
import { loadGpuJs } from '../../../../kernels/gpu/gpujs';
import { matrix } from '../../laws/arbitraries';
import { productScale } from '../../laws/linear';
import { planOf } from '../../laws/scenario';
import { bytesOf, expectNear, expectSameBits, type Matrix, using } from '../../laws/subject';
import type { SpecDevice } from './device';

const TYPES: readonly Dtype[] = ['f32', 'q8'];

async function logitsOf(backend: Backend, type: Dtype, x: Matrix, w: Matrix) {
  return using(backend, async (boxes) => {
    const out = boxes.logits();
    backend.head(out, boxes.tensor(x), null, boxes.weight(w, type), 1);
    const best = await backend.argMax(out);
    const rows = [];
    for (let row = 0; row < x.rows; row++) rows.push(await backend.readLogits(out, row));
    return { best, rows };
  });
}

/** Weights and scores that one buffer cannot hold, with buffers made small on purpose. */
export function describeSplitting(device: SpecDevice): void {
  test.each(TYPES)(
    '%s: a weight cut into pieces gives the bits of a whole one, in products, heads and embeddings',
    async (type) => {
      const [x, w] = [matrix(1, 3, 40), matrix(2, 300, 40)];
      const ids = Int32Array.of(299, 0, 63, 64, 127, 128, 200);
      const run = async (maxValues?: number) => {
        const backend = await device.create({ maxValues });
        const found = await using(backend, async (boxes) => {
          const weight = boxes.weight(w, type);
          const [out, rows] = [boxes.out(), boxes.out()];
          backend.linear(out, boxes.tensor(x), weight, boxes.tensor(matrix(3, 3, 300)));
          backend.embed(rows, weight, ids);
          return [await backend.read(out), await backend.read(rows)];
        });
        const logits = await logitsOf(backend, type, x, w);
        await backend.dispose();
        return [...found, ...logits.rows, Float32Array.from(logits.best)];
      };
      const whole = await run();
      const pieces = await run(64 * 40); // five pieces of 64 rows and less
      whole.forEach((values, i) => {
        expectSameBits(pieces[i], values);
      });
    },
  );

  test('attention in groups of rows, where its scores do not fit, gives the bits of one group', async () => {
    const keys = 30;
    const slots = Int32Array.from({ length: keys }, (_, i) => i);
    const lists = Array.from({ length: 7 }, (_, r) => Array.from(slots.subarray(0, 20 + r)));
    const run = async (maxValues?: number) => {
      const backend = await device.create({ maxValues });
      const found = await using(backend, async (boxes) => {
        const cache = boxes.keep(backend.cache(2, 4, keys));
        backend.append(cache, boxes.tensor(matrix(3, keys, 8)), boxes.tensor(matrix(4, keys, 8)), slots);
        const plan = boxes.keep(backend.plan());
        backend.arrange(plan, { ...planOf(lists, new Int32Array(0)), position: new Int32Array(7).fill(3) });
        const out = boxes.out();
        const bias = boxes.keep(backend.bias(2, 5, matrix(5, 2, 11).values));
        backend.attention(out, boxes.tensor(matrix(6, 7, 8)), null, cache, plan, bias);
        return backend.read(out);
      });
      await backend.dispose();
      return found;
    };
    expectSameBits(await run(keys * 16), await run()); // scores are 7 · 2 · 26, the slab 30 · 16
  });

  test('what no buffer can hold is refused when it is asked for', async () => {
    const backend = await device.create({ maxValues: 4096 });
    const tensor = backend.tensor();
    expect(() => backend.write(tensor, 65, 64, new Float32Array(65 * 64))).toThrow(KernelError);
    expect(() => backend.cache(2, 16, 65)).toThrow(/at most 4096 values/);
    expect([tensor.rows, backend.facts.allocatedBytes()]).toEqual([0, 0]);
    await backend.dispose();
  });
}

/** A head of a real model's size: 32,128 × 768 is 94 MiB of float32, cut into two buffers of at most 64 MiB. */
export function describeLargeHead(device: SpecDevice): void {
  test('a 32,128 × 768 head, in two pieces, is the reference within 2e-7 of max|x| · Σ|w|', async () => {
    const [rows, cols] = [32128, 768];
    const x = matrix(1, 2, cols);
    const w = matrix(2, rows, cols);
    const backend = await device.create();
    expect(backend.facts.weightBytes(rows, cols, 'f32')).toBe(rows * cols * 4);
    const found = await logitsOf(backend, 'f32', x, w);
    await backend.dispose();
    const judge = createReferenceBackend();
    const expected = await logitsOf(judge, 'f32', x, w);
    const scale = productScale(x, w);
    expect(Array.from(found.best)).toEqual(Array.from(expected.best));
    found.rows.forEach((row, r) => {
      expectNear(row, expected.rows[r], 2e-7, (i) => scale(r * rows + i));
    });
  });
}

/** Errors of the device: with the box that they hit, until it is read. */
export function describeFailures(device: SpecDevice): void {
  test('an empty box is refused as an input, and reads as nothing', async () => {
    const backend = await device.create();
    const source = backend.tensor();
    const weight = backend.weight(4, 4, 'f32');
    backend.fill(weight, 0, bytesOf(new Float32Array(16)), 'f32');
    expect(() => backend.linear(backend.tensor(), source, weight, null)).toThrow(KernelError);
    expect(await backend.read(source)).toHaveLength(0);
    await backend.dispose();
  });

  test('filling a weight a second time replaces its rows', async () => {
    const backend = await device.create();
    for (const type of TYPES) {
      await using(backend, async (boxes) => {
        const [old, fresh] = [matrix(1, 130, 33), matrix(2, 130, 33)];
        const weight = boxes.weight(old, type);
        backend.fill(weight, 64, bytesOf(fresh.values.slice(64 * 33, 128 * 33)), 'f32');
        const values = old.values.slice();
        values.set(fresh.values.subarray(64 * 33, 128 * 33), 64 * 33);
        const expected = boxes.weight({ ...old, values }, type);
        const [found, wanted] = [boxes.out(), boxes.out()];
        const ids = Int32Array.from({ length: 130 }, (_, i) => i);
        backend.embed(found, weight, ids);
        backend.embed(wanted, expected, ids);
        expectSameBits(await backend.read(found), await backend.read(wanted));
      });
    }
    await backend.dispose();
  });

  test('a backend that was disposed of twice, with work under way, ends quietly', async () => {
    const backend = await device.create();
    const [x, out] = [backend.tensor(), backend.tensor()];
    backend.write(x, 2, 3, new Float32Array(6));
    backend.activation(out, x, 'relu', null);
    await backend.dispose();
    await backend.dispose();
  });
}

/** A lost device: its backend says so and the next backend gets a new one. */
export function describeDeviceLost(device: SpecDevice): void {
  test('after the device is lost, reads say device-lost, and a new backend works', async () => {
    const lost = await device.create();
    const x = lost.tensor();
    lost.write(x, 1, 4, matrix(1, 1, 4).values);
    await lost.read(x);
    const { WebGPUContext } = await loadGpuJs();
    (await WebGPUContext.acquire()).device.destroy();
    const out = lost.tensor();
    lost.activation(out, x, 'relu', null);
    await expect(lost.read(out)).rejects.toMatchObject({ name: 'KernelError', code: 'device-lost' });
    const fresh = await device.create();
    const y = fresh.tensor();
    fresh.write(y, 1, 4, matrix(1, 1, 4).values);
    expectSameBits(await fresh.read(y), matrix(1, 1, 4).values);
    await lost.dispose();
    expectSameBits(await fresh.read(y), matrix(1, 1, 4).values); // the old one's end is not the new one's
    await fresh.dispose();
  });
}
