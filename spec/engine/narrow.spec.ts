import fc from 'fast-check';
import { collect, generate, selfDrafter } from '../../decoding';
import { type LoadProgress, loadModel, type ModelOptions, type T5Model } from '../../engine';
import { type Backend, createBackend, type Dtype } from '../../kernels';
import type { TensorData } from '../../weights/safetensors/writer';
import { arbitraryConfig } from '../support/arbitrary-config';
import { COPIED } from '../support/copied';
import { logitsOf } from '../support/forward';
import { randomTensors, tinyConfig } from '../support/random-checkpoint';
import {
  bitsOf,
  bytesIn,
  checkpointOf,
  isOfSteps,
  matricesOf,
  narrowTensors,
  narrowType,
  stepMatricesOf,
  type Tensors,
  wordsOf,
} from './narrowed';

/** Vectors of 256 bits keep bf16 in pairs of inputs, so that one input alone takes as many bytes as in float32. */
const config = arbitraryConfig.filter(({ dModel, dKv, heads, dFf }) => Math.min(dModel, dKv * heads, dFf) > 1);
const setting = fc.record({ config, seed: fc.nat(1000), untied: fc.boolean() });
/** Values that bfloat16 does not hold: near 1, with the last bit alone, a subnormal, and one near an edge. */
const wide = fc.constantFrom(1 + 2 ** -10, 1 + 2 ** -23, -0.3, 2 ** -149, -(2 ** -126 + 2 ** -149));

const BACKENDS: [string, () => Promise<Backend>][] = [
  ['reference', () => createBackend('reference')],
  ['cpu', () => createBackend('cpu')],
  ['wasm (simd)', () => createBackend('wasm', { threads: 1, level: 'simd' })],
  ['wasm', () => createBackend('wasm', { threads: 2 })],
];

describe.each(BACKENDS)('a float32 file whose values bfloat16 holds, on %s', (_, create) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  it('has every matrix that a step reads in bf16, in half the bytes, and the bits of float32', async () => {
    let telling = 0;
    await fc.assert(
      fc.asyncProperty(setting, async ({ config, seed, untied }) => {
        const tensors = narrowTensors(config, seed, untied);
        using model = await loadModel(checkpointOf(config, tensors), backend);
        using asked = await loadModel(checkpointOf(config, tensors), backend, { dtype: 'f32' });
        expect([model.dtype, asked.dtype, asked.narrowed]).toEqual(['f32', 'f32', 0]);
        expect(model.narrowed).toBe(stepMatricesOf(tensors).length);
        expect(model.weightBytes).toBe(bytesIn(backend, tensors, narrowType));
        expect(asked.weightBytes).toBe(bytesIn(backend, tensors, () => 'f32'));
        expect(model.weightBytes).toBeLessThan(asked.weightBytes);
        expect(model.parameters).toBe(asked.parameters);
        const bits = await bitsOf(model);
        expect(bits).toBe(await bitsOf(asked));
        if (/[^0 ]/.test(bits)) telling++;
      }),
      { numRuns: 15 },
    );
    expect(telling).toBeGreaterThan(12);
  });

  it('with one value that bfloat16 does not hold, anywhere, has that matrix alone in float32', async () => {
    const place = fc.record({ matrix: fc.nat(), at: fc.oneof(fc.nat(), fc.constant(-1)), value: wide });
    await fc.assert(
      fc.asyncProperty(setting, place, async ({ config, seed, untied }, { matrix, at, value }) => {
        const tensors = narrowTensors(config, seed, untied);
        const matrices = matricesOf(tensors);
        const [changed, { data }] = matrices[matrix % matrices.length];
        const isLookedAt = isOfSteps(changed);
        const values = new Float32Array(data.buffer);
        values[at < 0 ? values.length - 1 : at % values.length] = value;
        using model = await loadModel(checkpointOf(config, tensors), backend);
        using asked = await loadModel(checkpointOf(config, tensors), backend, { dtype: 'f32' });
        expect(model.narrowed).toBe(stepMatricesOf(tensors).length - (isLookedAt ? 1 : 0));
        expect(model.weightBytes).toBe(
          bytesIn(backend, tensors, (name) => (name === changed ? 'f32' : narrowType(name))),
        );
        expect(await bitsOf(model)).toBe(await bitsOf(asked));
      }),
      { numRuns: 20 },
    );
  });

  it('narrows nothing where a type is named, whatever it is', async () => {
    const tensors = narrowTensors(tinyConfig(), 1);
    for (const dtype of backend.facts.weightTypes) {
      using model = await loadModel(checkpointOf(tinyConfig(), tensors), backend, { dtype });
      expect([model.dtype, model.narrowed]).toEqual([dtype, 0]);
      if (dtype !== 'q4') expect(model.weightBytes).toBe(bytesIn(backend, tensors, () => dtype));
    }
  });

  it('is loaded where float32 has no room, and one with other values is refused, with nothing left behind', async () => {
    const config = tinyConfig({ vocabularySize: 400, dModel: 32 });
    const before = backend.facts.allocatedBytes();
    const tensors = narrowTensors(config, 2);
    const [least, whole] = [narrowType, () => 'f32' as const].map((typeOf) => bytesIn(backend, tensors, typeOf));
    const roomOf = (bytes: number) => ({ ...backend, facts: { ...backend.facts, capacityBytes: before + bytes } });
    const small = roomOf((least + whole) / 2);
    (await loadModel(checkpointOf(config, tensors), small)).dispose();
    const refusals: string[] = [];
    const refusedIn = async (room: Backend, contents: Tensors, options?: ModelOptions) => {
      const refused = loadModel(checkpointOf(config, contents), room, options);
      await expect(refused).rejects.toMatchObject({ code: 'out-of-memory' });
      await refused.catch(({ message }: Error) => refusals.push(message));
      expect(backend.facts.allocatedBytes()).toBe(before);
    };
    const others = randomTensors(config, 2);
    await refusedIn(small, tensors, { dtype: 'f32' });
    await refusedIn(small, others);
    await refusedIn(roomOf(least / 2), tensors);
    expect(refusals[1]).toBe(refusals[0]);
    expect(refusals[1]).toMatch(
      new RegExp(`^model: expected weights of at most ${(least + whole) / 2} bytes .* found \\d+ bytes as f32$`),
    );
    // What float32 needs is enough for any file: the sum is checked once, before the small tables of biases are made.
    const needed = Number(/found (\d+) bytes/.exec(refusals[1])?.[1]);
    (await loadModel(checkpointOf(config, others), roomOf(needed))).dispose();
    await refusedIn(roomOf(needed - 1), others);
    // Where only the last matrix is wide, all others are in bf16 by then, and only it needs more room.
    const last = narrowTensors(config, 2);
    wordsOf(last.get('shared.weight') as TensorData)[7] |= 1;
    const taken = bytesIn(backend, last, (name) => (name === 'shared.weight' ? 'f32' : narrowType(name)));
    using model = await loadModel(checkpointOf(config, last), roomOf(taken + 8192));
    expect([model.weightBytes, taken + 8192 < whole]).toEqual([taken, true]);
    model.dispose();
    await refusedIn(roomOf(taken - 8192), last);
  });

  it('has the decoder’s copy as it is asked for, and its own bits beside it', async () => {
    for (const untied of [false, true]) {
      const config = tinyConfig();
      const tensors = narrowTensors(config, 3, untied);
      for (const copy of backend.facts.weightTypes) {
        const load = async (options: ModelOptions) => {
          const seen: LoadProgress[] = [];
          const onProgress = (progress: LoadProgress) => seen.push(progress);
          const model = await loadModel(checkpointOf(config, tensors), backend, { ...options, onProgress });
          expect(seen.at(-1)?.loaded).toBe(seen[0].total);
          return model;
        };
        using model = await load({ copy });
        using asked = await load({ copy, dtype: 'f32' });
        using plain = await load({});
        using wide = await load({ dtype: 'f32' });
        expect([model.narrowed, model.copyDtype]).toEqual([stepMatricesOf(tensors).length, copy]);
        expect(model.weightBytes - plain.weightBytes).toBe(asked.weightBytes - wide.weightBytes);
        // The head is shared with a model in f32 by a copy in f32 alone, however the model's own is kept.
        const head = untied ? 'lm_head.weight' : 'shared.weight';
        const own = matricesOf(tensors).filter(([name]) => (name === head ? copy !== 'f32' : COPIED.test(name)));
        const typeOf = (name: string) => (copy === 'q4' && name === head ? 'q8' : copy);
        expect(model.weightBytes - plain.weightBytes).toBe(bytesIn(backend, new Map(own), typeOf));
        expect(await bitsOf(model)).toBe(await bitsOf(asked));
        const drafted = (one: T5Model) => logitsOf(one, [1, 2, 3], [[0, 1], [4]], { copy: true });
        expect(await drafted(model)).toEqual(await drafted(asked));
      }
    }
  });
});

it.each(['q8', 'bf16'] as const)(
  'gives the text of float32, with the target’s own decoder in %s as the draft',
  async (copy) => {
    const backend = await createBackend('wasm', { threads: 1 });
    let proposed = 0;
    await fc.assert(
      fc.asyncProperty(setting, fc.constantFrom(0, 0.7, 1.3), async ({ config, seed, untied }, temperature) => {
        const tensors = narrowTensors(config, seed, untied);
        const load = (dtype?: Dtype) => loadModel(checkpointOf(config, tensors), backend, { dtype, copy });
        using model = await load();
        using asked = await load('f32');
        expect([model.narrowed, asked.narrowed]).toEqual([stepMatricesOf(tensors).length, 0]);
        const settings = { temperature, seed, maxNewTokens: 12, suppressTokens: config.eosTokens };
        const textOf = async (target: T5Model, drafts: boolean, gamma = 3) => {
          const drafter = drafts ? selfDrafter(target, copy) : null;
          const { ids, metrics } = await collect(
            generate({ target, drafter, source: [1, 2, 3], settings: drafts ? { ...settings, gamma } : settings }),
          );
          proposed += metrics.proposed;
          return ids;
        };
        expect(await textOf(model, true)).toEqual(await textOf(asked, true));
        expect(await textOf(model, false)).toEqual(await textOf(asked, false));
        if (temperature === 0) expect(await textOf(model, true)).toEqual(await textOf(model, false));
      }),
      { numRuns: 12 },
    );
    expect(proposed).toBeGreaterThan(100);
    await backend.dispose();
  },
);
