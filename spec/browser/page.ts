import { generate, modelDrafter, type Settings } from '../../decoding';
import { loadModel, type T5Model } from '../../engine';
import { type Backend, createGpuBackend, createWasmBackend, gpuCounters } from '../../kernels';
import type { GpuLevel } from '../../kernels/gpu';
import { openFileSet } from '../../weights';
import { describeBackendLaws } from '../kernels/laws';
import { describeFamily, typesOf } from '../support/family-goldens';
import { fetchGoldens, goldenFamilies } from '../support/golden-files.browser';
import { Harness, type Outcome } from './harness';

/** Files over HTTP, read by ranges of whole files: the page's checkpoints are small. */
function overHttp(name: string, files: readonly string[]) {
  return {
    name,
    files,
    async open(file: string) {
      const answer = await fetch(`/${name}/${file}`);
      if (!answer.ok) throw new Error(`${file}: HTTP ${answer.status}`);
      const bytes = new Uint8Array(await answer.arrayBuffer());
      const read = async (offset: number, length: number) => bytes.slice(offset, offset + length);
      return { name: file, size: bytes.length, read, dispose: async () => undefined };
    },
  };
}

async function load(backend: Backend, name: string, files: readonly string[]): Promise<T5Model> {
  const checkpoint = await openFileSet(overHttp(name, files));
  return loadModel(checkpoint, backend, { dtype: 'f32' });
}

/** Runs the law suite on a device of this browser. */
async function runLaws(level: GpuLevel, runs: number): Promise<Outcome[]> {
  const harness = new Harness();
  harness.install();
  describeBackendLaws(`gpu ${level}`, () => createGpuBackend({ device: level }), {
    products: { f32: 2e-7, bf16: 2e-7, q8: 2e-7 },
    elementwise: 2e-6,
    attention: 2e-6,
    logSumExp: 1e-13,
    runs,
  });
  return harness.run();
}

/** Runs the goldens of every family on one backend, which all of them share. */
async function runGoldens(name: string, paths: readonly string[], create: () => Promise<Backend>): Promise<Outcome[]> {
  await fetchGoldens(paths);
  const shared = await create();
  const harness = new Harness();
  harness.install();
  const lent = async () => ({ ...shared, dispose: async () => undefined });
  for (const family of goldenFamilies()) {
    for (const type of typesOf(family)) describeFamily({ name, family, type, create: lent });
  }
  const outcomes = await harness.run();
  await shared.dispose();
  return outcomes;
}

const runGpuGoldens = (level: GpuLevel, paths: readonly string[]) =>
  runGoldens(`gpu ${level}`, paths, () => createGpuBackend({ device: level }));

type WasmSetting = Pick<NonNullable<Parameters<typeof createWasmBackend>[0]>, 'level' | 'threads'>;

const runWasmGoldens = (setting: WasmSetting, paths: readonly string[]) =>
  runGoldens('wasm', paths, () => createWasmBackend(setting));

/** The law suite on wasm, with the tolerances it has in Node. */
async function runWasmLaws(setting: WasmSetting, runs: number): Promise<Outcome[]> {
  const harness = new Harness();
  harness.install();
  describeBackendLaws('wasm', () => createWasmBackend(setting), {
    products: { f32: 2e-6, bf16: 2e-6, q8: 1 / 127 },
    elementwise: 2e-6,
    attention: 2e-5,
    logSumExp: 1e-13,
    runs,
  });
  return harness.run();
}

/** As `decodePair`, on wasm: what a page gets, and what comes out. */
async function decodeOnWasm(
  setting: WasmSetting,
  files: readonly string[],
  source: number[],
  settings: Settings,
): Promise<
  Pick<Decoding, 'plain' | 'speculative' | 'accepted'> & { readonly level: string; readonly threads: number }
> {
  const backend = await createWasmBackend(setting);
  const { level, threads } = backend.facts;
  const { plain, speculative } = await bothWays(backend, files, source, settings);
  await backend.dispose();
  return { level, threads, plain: plain.ids, speculative: speculative.ids, accepted: speculative.accepted };
}

export interface Decoding {
  readonly reason: string | undefined;
  readonly plain: readonly number[];
  readonly speculative: readonly number[];
  readonly accepted: number;
  readonly uploadedAfterLoad: number;
}

/** Greedy decoding of the bundled pair, plain and speculative, with what crossed to the device meanwhile. */
async function decodePair(
  level: GpuLevel,
  files: readonly string[],
  source: number[],
  settings: Settings,
): Promise<Decoding> {
  const backend = await createGpuBackend({ device: level });
  const { plain, speculative, uploaded: uploadedAfterLoad } = await bothWays(backend, files, source, settings);
  const { reason } = backend.facts;
  await backend.dispose();
  return { reason, plain: plain.ids, speculative: speculative.ids, accepted: speculative.accepted, uploadedAfterLoad };
}

/** Plain, then speculative decoding, and the bytes that crossed to a device meanwhile. */
async function bothWays(backend: Backend, files: readonly string[], source: number[], settings: Settings) {
  const target = await load(backend, 'modernize-target', files);
  const draft = await load(backend, 'modernize-draft', files);
  const uploads = () => gpuCounters(backend)?.uploadedBytes ?? 0;
  const before = uploads();
  const run = async (speculate: boolean) => {
    const decoding = generate({ target, drafter: speculate ? modelDrafter(draft) : null, source, settings });
    let accepted = 0;
    for await (const event of decoding) {
      if (event.kind === 'done') return { ids: event.result.ids, accepted };
      if (event.kind === 'token' && event.origin === 'accepted') accepted++;
    }
    throw new Error('decoding ended without a result');
  };
  const plain = await run(false);
  const speculative = await run(true);
  return { plain, speculative, uploaded: uploads() - before };
}

Object.assign(globalThis, { runLaws, runGpuGoldens, runWasmLaws, runWasmGoldens, decodePair, decodeOnWasm });
