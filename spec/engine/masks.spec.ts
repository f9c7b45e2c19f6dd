import fc from 'fast-check';
import { loadModel, type T5Model } from '../../engine';
import { type Backend, createBackend } from '../../kernels';
import { openCheckpoint } from '../../weights';
import { goldenCheckpoint, relativeError } from '../support/goldens';
import { chain } from '../support/greedy';
import { randomCheckpoint, tinyConfig } from '../support/random-checkpoint';
import { readUses, readUsesTensors } from '../support/uses';

type MaskGolden = Readonly<
  Record<
    string,
    readonly {
      readonly ids: readonly number[];
      readonly mask: readonly number[];
      readonly decoder: readonly number[];
    }[]
  >
>;

const golden = readUses<MaskGolden>('masks');
const tensors = readUsesTensors('masks');
const TOLERANCE = 1e-5;

describe.each(Object.keys(golden))('masked sources of %s', (name) => {
  it.each(['reference', 'cpu', 'wasm'] as const)(
    "have Hugging Face's states and logits, within 1e-5, on %s",
    async (on) => {
      const backend = await createBackend(on, { threads: 1 });
      const checkpoint = await openCheckpoint(goldenCheckpoint(name));
      const model = await loadModel(checkpoint, backend);
      await checkpoint.dispose();
      const states = await model.encoderStates(golden[name]);
      const all = await model.encode(golden[name]);
      for (const [i, { decoder }] of golden[name].entries()) {
        expect(relativeError(states[i], tensors.get(`${name}.${i}.states`)?.values ?? [])).toBeLessThan(TOLERANCE);
        using view = await model.forward(chain(all[i].open(), decoder));
        const rows = await Promise.all(decoder.map((_, row) => view.read(row)));
        const logits = Float32Array.from(rows.flatMap((row) => [...row]));
        expect(relativeError(logits, tensors.get(`${name}.${i}.logits`)?.values ?? [])).toBeLessThan(TOLERANCE);
      }
      model.dispose();
      await backend.dispose();
    },
  );
});

describe('a mask', () => {
  let backend: Backend;
  let model: T5Model;
  beforeAll(async () => {
    backend = await createBackend('wasm', { threads: 1 });
    model = await loadModel(randomCheckpoint(tinyConfig(), 5), backend);
  });
  afterAll(async () => {
    model.dispose();
    await backend.dispose();
  });

  const ids = fc.array(fc.integer({ min: 2, max: 36 }), { minLength: 1, maxLength: 30 });

  it('that hides what was put in front and behind is as if nothing had been put there, bit for bit', async () => {
    await fc.assert(
      fc.asyncProperty(ids, fc.nat(9), fc.nat(9), async (source, front, behind) => {
        const pad = (count: number, value: number) => new Array<number>(count).fill(value);
        const masked = {
          ids: [...pad(front, 0), ...source, ...pad(behind, 0)],
          mask: [...pad(front, 0), ...pad(source.length, 1), ...pad(behind, 0)],
        };
        expect(await model.encoderStates([masked])).toEqual(await model.encoderStates([source]));
      }),
      { numRuns: 30 },
    );
  });

  it('hides an id from all others, whatever it is; and the others keep their distances', async () => {
    let moved = 0;
    await fc.assert(
      fc.asyncProperty(ids, ids, fc.nat(36), async (before, after, other) => {
        const mask = [...before.map(() => 1), 0, ...after.map(() => 1)];
        const [one, two] = await model.encoderStates([
          { ids: [...before, 5, ...after], mask },
          { ids: [...before, other, ...after], mask },
        ]);
        expect(two).toEqual(one);
        const [closed] = await model.encoderStates([[...before, ...after]]);
        expect(one.length).toBe(closed.length);
        if (one.some((value, i) => value !== closed[i])) moved++; // a hole is not the same as nothing
      }),
      { numRuns: 30 },
    );
    expect(moved).toBeGreaterThan(25);
  });

  it.each([
    ['of another length', { ids: [3, 4], mask: [1] }, /source 0: mask: expected 2 numbers, one an id, found 1/],
    ['of other numbers', { ids: [3, 4], mask: [1, 2] }, /source 0: mask: expected 0 or 1, found 2 at place 1/],
    ['that hides everything', { ids: [3, 4], mask: [0, 0] }, /a mask that leaves at least one id, found none/],
  ])('%s is refused by name', async (_, source, message) => {
    await expect(model.encode([source])).rejects.toMatchObject({ code: 'source-invalid' });
    await expect(model.encoderStates([source])).rejects.toThrow(message);
  });
});
