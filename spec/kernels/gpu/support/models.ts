import path from 'node:path';
import { type DecoderStream, loadModel, type T5Model } from '../../../../engine';
import { type Backend, type Dtype, gpuCounters } from '../../../../kernels';
import { openCheckpoint } from '../../../../weights';
import { describeBundled } from '../../../support/bundled-goldens';
import { BUNDLED, decode, firstDifference, heldOutSources } from '../../../support/equality';
import { describeFamily, typesOf } from '../../../support/family-goldens';
import { goldenCheckpoint, goldenFamilies } from '../../../support/goldens';
import type { SpecDevice } from './device';

async function load(directory: string, backend: Backend, type: Dtype = 'f32'): Promise<T5Model> {
  const checkpoint = await openCheckpoint(directory);
  const model = await loadModel(checkpoint, backend, { dtype: type });
  await checkpoint.dispose();
  return model;
}

/** Goldens of every family and of the bundled pair. */
export function describeGoldens(
  device: SpecDevice,
  sentences: { readonly target: number; readonly draft: number },
): void {
  // One backend for all: a device compiles its kernels once, and what one model leaves behind must not harm the next.
  let shared: Promise<Backend> | null = null;
  const create = async (): Promise<Backend> => {
    shared ??= device.create();
    return { ...(await shared), dispose: async () => undefined };
  };
  afterAll(async () => {
    await (await shared)?.dispose();
  });
  const name = `gpu (${device.level})`;
  for (const family of goldenFamilies()) {
    for (const type of typesOf(family)) describeFamily({ name, family, type, create });
  }
  for (const role of ['draft', 'target'] as const) {
    if (sentences[role] > 0) describeBundled({ name, role, sentences: sentences[role], create });
  }
}

/** Speculation on the device itself: the bundled pair, and one family whose draft is often wrong. */
export function describeSpeculation(device: SpecDevice, passages: number): void {
  test('greedy speculative decoding of the bundled pair equals autoregressive in every token and logit bit', async () => {
    const backend = await device.create();
    const [target, draft] = [await load(BUNDLED.target, backend), await load(BUNDLED.draft, backend)];
    const settings = { temperature: 0, maxNewTokens: 10 };
    const sources = (await heldOutSources()).sort((a, b) => a.length - b.length).slice(0, passages);
    for (const source of sources) {
      const plain = await decode(target, null, source, settings);
      for (const gamma of [3, 8]) {
        const speculative = await decode(target, draft, source, { ...settings, gamma });
        expect(firstDifference(plain, speculative)).toBeNull();
        expect(speculative.targetCalls).toBeLessThan(plain.targetCalls);
      }
    }
    await backend.dispose();
  });

  test('a draft that is often wrong (q8 of the same model) changes no token and no bit either', async () => {
    const backend = await device.create();
    const directory = goldenCheckpoint('t5-v1.1');
    const [target, draft] = [await load(directory, backend), await load(directory, backend, 'q8')];
    const settings = { temperature: 0, maxNewTokens: 16 };
    const plain = await decode(target, null, [5, 9, 11, 1], settings);
    const speculative = await decode(target, draft, [5, 9, 11, 1], { ...settings, gamma: 4 });
    expect(firstDifference(plain, speculative)).toBeNull();
    await backend.dispose();
  });
}

/** What stays on the device, by its counters. */
export function describeResidency(device: SpecDevice): void {
  const steps = async (model: T5Model, stream: DecoderStream, from: number, count: number): Promise<void> => {
    for (let position = from; position < from + count; position++) {
      const logits = await model.forward([{ stream, position, token: 3 + position, parent: -1 }]);
      await logits.argMax();
      logits.dispose();
    }
  };

  test('a greedy step uploads ids, two plans and where rows go, launches 17 kernels a layer and 5, and reads 4 bytes', async () => {
    const backend = await device.create();
    const model = await load(goldenCheckpoint('t5-v1.0'), backend);
    const [encoded] = await model.encode([[4, 5, 6, 1]]);
    const stream = encoded.open();
    await steps(model, stream, 0, 3);
    const before = { ...gpuCounters(backend)! };
    await steps(model, stream, 3, 4);
    const after = gpuCounters(backend)!;
    const layers = model.config.decoderLayers;
    expect({
      uploads: after.uploads - before.uploads,
      readbacks: after.readbacks - before.readbacks,
      readbackBytes: after.readbackBytes - before.readbackBytes,
      launches: after.launches - before.launches,
      compiled: after.compiled - before.compiled,
    }).toEqual({ uploads: 4 * 4, readbacks: 4, readbackBytes: 4 * 4, launches: 4 * (17 * layers + 5), compiled: 0 });
    // Ids and plans only: no weight, activation, key or value crosses again.
    expect(after.uploadedBytes - before.uploadedBytes).toBeLessThan(4 * 4 * (1 + 40 + 40 + 40));
    await backend.dispose();
  });

  test('a sampled step reads its rows back once, whatever is asked of them', async () => {
    const backend = await device.create();
    const model = await load(goldenCheckpoint('t5-v1.0'), backend);
    const [encoded] = await model.encode([[4, 5, 6, 1]]);
    const stream = encoded.open();
    const rows = [3, 4, 5].map((token, i) => ({ stream, position: i, token, parent: i - 1 }));
    const logits = await model.forward(rows);
    const before = { ...gpuCounters(backend)! };
    for (const row of [0, 1, 2]) {
      await logits.logSumExp(row, 1);
      await logits.topK(row, 3);
      await logits.at(Int32Array.of(row), Int32Array.of(2));
      await logits.read(row);
    }
    const after = gpuCounters(backend)!;
    expect(after.readbacks - before.readbacks).toBe(1);
    expect(after.readbackBytes - before.readbackBytes).toBe(3 * model.vocabularySize * 4);
    await backend.dispose();
  });

  test('weights are uploaded once: loading sends weightBytes of them and little else', async () => {
    const backend = await device.create();
    const before = gpuCounters(backend)!.uploadedBytes;
    const model = await load(path.join(goldenCheckpoint('t5-v1.0')), backend);
    await model.encode([[4, 5, 1]]);
    const sent = gpuCounters(backend)!.uploadedBytes - before;
    expect(sent).toBeGreaterThanOrEqual(model.weightBytes);
    expect(sent).toBeLessThan(model.weightBytes + 65536);
    await backend.dispose();
  });
}
