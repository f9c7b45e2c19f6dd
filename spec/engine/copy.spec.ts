import fc from 'fast-check';
import { loadModel } from '../../engine';
import { type Backend, createBackend, type Dtype } from '../../kernels';
import { type Checkpoint, openFileSet, type T5Config } from '../../weights';
import type { TensorData } from '../../weights/safetensors/writer';
import { arbitraryConfig } from '../support/arbitrary-config';
import { COPIED } from '../support/copied';
import { chain, logitsOf } from '../support/forward';
import { checkpointBytes, randomTensors } from '../support/random-checkpoint';

/** float32 values rounded to bfloat16, ties to even. */
function rounded({ shape, data }: TensorData): TensorData {
  const words = new Uint32Array(data.slice().buffer);
  for (let i = 0; i < words.length; i++) {
    words[i] = (words[i] + 0x7fff + ((words[i] >>> 16) & 1)) & 0xffff0000;
  }
  return { type: 'F32', shape, data: new Uint8Array(words.buffer) };
}

const id = fc.nat(4);
const setting = fc.record({
  config: arbitraryConfig,
  seed: fc.nat(),
  untied: fc.boolean(),
  source: fc.array(id, { minLength: 1, maxLength: 6 }),
  calls: fc.array(fc.array(id, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
});

async function filesOf(config: T5Config, tensors: Map<string, TensorData>) {
  return openFileSet(await checkpointBytes({ config, tensors }));
}

describe.each(['reference', 'cpu', 'wasm'] as const)('the decoder’s copy on %s', (name) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await createBackend(name, { threads: 1 });
  });
  afterAll(() => backend.dispose());

  it.each(['f32', 'bf16', 'q8', 'q4'] as const)(
    'in the model’s own type (%s) gives the model’s bits',
    async (dtype) => {
      await fc.assert(
        fc.asyncProperty(setting, async ({ config, seed, untied, source, calls }) => {
          const checkpoint = await filesOf(config, randomTensors(config, seed, untied));
          using model = await loadModel(checkpoint, backend, { dtype, copy: dtype });
          const own = await logitsOf(model, source, calls, {});
          expect(own.flat().every(Number.isFinite)).toBe(true);
          expect(await logitsOf(model, source, calls, { copy: true })).toEqual(own);
        }),
        { numRuns: 10 },
      );
    },
  );

  it('leaves nothing behind: after a rollback the model gives the bits of a stream that the copy never touched', async () => {
    await fc.assert(
      fc.asyncProperty(setting, async ({ config, seed }) => {
        const checkpoint = await filesOf(config, randomTensors(config, seed, false));
        using model = await loadModel(checkpoint, backend, { dtype: 'f32', copy: 'q8' });
        const [encoded] = await model.encode([[1, 2, 3]]);
        const stream = encoded.open();
        (await model.forward(chain(stream, [0, 3]))).dispose();
        (await model.forward(chain(stream, [1, 2, 4]), { copy: true })).dispose();
        stream.truncate(2);
        const view = await model.forward(chain(stream, [2, 1]));
        const found = [Array.from(await view.read(0)), Array.from(await view.read(1))];
        for (const box of [view, stream, encoded]) box.dispose();
        expect(found).toEqual((await logitsOf(model, [1, 2, 3], [[0, 3, 2, 1]], {})).slice(2));
      }),
      { numRuns: 10 },
    );
  });

  it('gives everything back with the model', async () => {
    const checkpoint = await filesOf(...sample());
    const before = backend.facts.allocatedBytes();
    const model = await loadModel(checkpoint, backend, { dtype: 'f32', copy: 'q8' });
    const plain = await loadModel(checkpoint, backend, { dtype: 'f32' });
    expect(model.copyDtype).toBe('q8');
    expect(plain.copyDtype).toBeNull();
    expect(model.weightBytes).toBeGreaterThan(plain.weightBytes);
    for (const one of [model, plain]) one.dispose();
    expect(backend.facts.allocatedBytes()).toBe(before);
  });
});

/** A checkpoint with random weights of these sizes, and what its matrices take on a backend in a type. */
async function sized(untied: boolean) {
  const [config, tensors] = [sample()[0], randomTensors(sample()[0], 1, untied)];
  const bytesOf = (backend: Backend, dtype: Dtype, isMatrix: (name: string) => boolean) =>
    [...tensors]
      .filter(([name, { shape }]) => shape.length === 2 && !/relative_attention_bias/.test(name) && isMatrix(name))
      .reduce((sum, [, { shape }]) => sum + backend.facts.weightBytes(shape[0], shape[1], dtype), 0);
  return { checkpoint: await filesOf(config, tensors), bytesOf };
}

const ofVocabulary = (name: string) => /^(shared|lm_head)\.weight$/.test(name);

describe.each([false, true])('a model in q4 (head of its own: %s)', (untied) => {
  it.each(['reference', 'wasm'] as const)('keeps its vocabulary in q8, on %s', async (name) => {
    const backend = await createBackend(name, { threads: 1 });
    const { checkpoint, bytesOf } = await sized(untied);
    const model = await loadModel(checkpoint, backend, { dtype: 'q4' });
    const others = bytesOf(backend, 'q4', (name) => !ofVocabulary(name));
    expect(model.weightBytes).toBe(bytesOf(backend, 'q8', ofVocabulary) + others);
    expect(model.dtype).toBe('q4');
    model.dispose();
    await backend.dispose();
  });

  it.each([
    ['f32', true],
    ['q8', false],
  ] as const)('as the copy of one in %s has the decoder, and a head of its own: %s', async (dtype, hasHead) => {
    const backend = await createBackend('wasm', { threads: 1 });
    const { checkpoint, bytesOf } = await sized(untied);
    using plain = await loadModel(checkpoint, backend, { dtype });
    using model = await loadModel(checkpoint, backend, { dtype, copy: 'q4' });
    const decoder = bytesOf(backend, 'q4', (name) => COPIED.test(name) && name !== 'lm_head.weight');
    const head = bytesOf(backend, 'q8', (name) => name === (untied ? 'lm_head.weight' : 'shared.weight'));
    expect(model.weightBytes - plain.weightBytes).toBe(decoder + (hasHead ? head : 0));
    await expect(needed(checkpoint, { dtype, copy: 'q4' })).resolves.toBe(
      (await needed(checkpoint, { dtype })) + decoder + (hasHead ? head : 0),
    );
    model.dispose();
    plain.dispose();
    await backend.dispose();
  });
});

/** What loading says that it needs, where there is no room. */
async function needed(checkpoint: Checkpoint, options: { dtype: Dtype; copy?: Dtype }): Promise<number> {
  const backend = await createBackend('wasm', { threads: 1, capacityBytes: 1 });
  try {
    const refused = await loadModel(checkpoint, backend, options).catch((error: Error) => error.message);
    return Number(/found (\d+) bytes/.exec(String(refused))?.[1]);
  } finally {
    await backend.dispose();
  }
}

function sample(): [T5Config, Map<string, TensorData>] {
  const [config] = fc.sample(arbitraryConfig, { numRuns: 1, seed: 1 });
  return [config, randomTensors(config, 1, false)];
}

it('has the decoder’s matrices and the head in its own type, and shares everything else', async () => {
  const backend = await createBackend('reference');
  let differs = 0;
  await fc.assert(
    fc.asyncProperty(setting, async ({ config, seed, source, calls }) => {
      const tensors = randomTensors(config, seed, true);
      using model = await loadModel(await filesOf(config, tensors), backend, { dtype: 'f32', copy: 'bf16' });
      const byHand = new Map([...tensors].map(([name, data]) => [name, COPIED.test(name) ? rounded(data) : data]));
      using expected = await loadModel(await filesOf(config, byHand), backend, { dtype: 'f32' });
      const found = await logitsOf(model, source, calls, { copy: true });
      expect(found).toEqual(await logitsOf(expected, source, calls, {}));
      if (JSON.stringify(found) !== JSON.stringify(await logitsOf(model, source, calls, {}))) differs++;
    }),
    { numRuns: 15 },
  );
  expect(differs).toBeGreaterThan(10);
  await backend.dispose();
});

it('is refused by name where there is none', async () => {
  const backend = await createBackend('reference');
  using model = await loadModel(await filesOf(...sample()), backend);
  const [encoded] = await model.encode([[1]]);
  await expect(model.forward(chain(encoded.open(), [0]), { copy: true })).rejects.toMatchObject({
    code: 'type-unsupported',
    message: 'forward: copy: expected a model with a copy, found none',
  });
});
