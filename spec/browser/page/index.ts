/** The script of the specs' page: what specs may call in a browser. */
import {
  type Backend,
  createGpuBackend,
  createWasmBackend,
  type Dtype,
  gpuCounters,
  type LevelFinding,
  probeLevel,
  type WasmLevel,
} from '../../../kernels';
import type { GpuLevel } from '../../../kernels/gpu';
import { type Checkpoint, openFileSet } from '../../../weights';
import { describeBackendLaws } from '../../kernels/laws';
import { describeFamily, typesOf } from '../../support/family-goldens';
import { fetchGoldens, goldenFamilies } from '../../support/golden-files.browser';
import { type SamplingBits, samplingBits } from '../../support/sampling-bits';
import { Harness, type Outcome } from './harness';
import { decodePair, type PairAnswer, type PairCase } from './pair';
import { reportProgress, serveCalls } from './remote';

type WasmSetting = Pick<NonNullable<Parameters<typeof createWasmBackend>[0]>, 'level' | 'threads'>;

/** The bundled models over HTTP. They are small, so each file is fetched whole. */
function openOver(files: readonly string[]): (name: string) => Promise<Checkpoint> {
  return (name) =>
    openFileSet({
      name,
      files,
      async open(file: string) {
        const answer = await fetch(`/models/${name}/${file}`);
        if (!answer.ok) throw new Error(`${file}: HTTP ${answer.status}`);
        const bytes = new Uint8Array(await answer.arrayBuffer());
        const read = async (offset: number, length: number) => bytes.slice(offset, offset + length);
        return { name: file, size: bytes.length, read, dispose: async () => undefined };
      },
    });
}

/** Runs what `declare` declares with describe and test. */
function runSpecs(declare: () => void): Promise<Outcome[]> {
  const harness = new Harness(reportProgress);
  harness.install();
  declare();
  return harness.run();
}

/** Runs the law suite on a gpu device of this browser. */
function runGpuLaws(level: GpuLevel, runs: number): Promise<Outcome[]> {
  const tolerances = {
    products: { f32: 2.3e-6, bf16: 2.3e-6, q8: 2.3e-6 }, // see spec/kernels/gpu/webgpu.spec.ts
    elementwise: 2e-6,
    attention: 2e-6,
    logSumExp: 1e-13,
  };
  return runSpecs(() =>
    describeBackendLaws(`gpu ${level}`, () => createGpuBackend({ level }), { ...tolerances, runs }),
  );
}

/** The law suite on wasm, with the tolerances it has in Node. */
function runWasmLaws(setting: WasmSetting, runs: number): Promise<Outcome[]> {
  const tolerances = {
    products: { f32: 2e-6, bf16: 2e-6, q8: 1 / 127, q4: 1 / 110 },
    elementwise: 2e-6,
    attention: 2e-5,
    logSumExp: 1e-13,
  };
  return runSpecs(() => describeBackendLaws('wasm', () => createWasmBackend(setting), { ...tolerances, runs }));
}

/** Runs the goldens of every family on one backend, which all of them share. */
async function runGoldens(name: string, paths: readonly string[], create: () => Promise<Backend>): Promise<Outcome[]> {
  await fetchGoldens(paths);
  const backend = await create();
  const borrow = async () => ({ ...backend, dispose: async () => undefined });
  const outcomes = await runSpecs(() => {
    for (const family of goldenFamilies()) {
      for (const type of typesOf(family)) describeFamily({ name, family, type, create: borrow });
    }
  });
  await backend.dispose();
  return outcomes;
}

function runGpuGoldens(level: GpuLevel, paths: readonly string[]): Promise<Outcome[]> {
  return runGoldens(`gpu ${level}`, paths, () => createGpuBackend({ level }));
}

function runWasmGoldens(setting: WasmSetting, paths: readonly string[]): Promise<Outcome[]> {
  return runGoldens('wasm', paths, () => createWasmBackend(setting));
}

/** What the page asked for and what it got, with what the bundled pair says. */
export interface WasmDecoding {
  readonly level: string | undefined;
  readonly threads: number | undefined;
  readonly answers: readonly PairAnswer[];
}

async function decodeOnWasm(
  setting: WasmSetting,
  files: readonly string[],
  work: { readonly dtype: Dtype; readonly cases: readonly PairCase[] },
): Promise<WasmDecoding> {
  const backend = await createWasmBackend(setting);
  const { level, threads } = backend.facts;
  const answers = await decodePair(backend, openOver(files), work);
  await backend.dispose();
  return { level, threads, answers };
}

export interface GpuDecoding {
  readonly reason: string | undefined;
  readonly answers: readonly PairAnswer[];
  /** Bytes that crossed to the device after the models were there. */
  readonly uploadedAfterLoad: number;
}

async function decodeOnGpu(
  level: GpuLevel,
  files: readonly string[],
  work: { readonly dtype: Dtype; readonly cases: readonly PairCase[] },
): Promise<GpuDecoding> {
  const backend = await createGpuBackend({ level });
  const countUploads = () => gpuCounters(backend)?.uploadedBytes ?? 0;
  let before = 0;
  const answers = await decodePair(backend, openOver(files), work, () => {
    before = countUploads();
  });
  const uploadedAfterLoad = countUploads() - before;
  const { reason } = backend.facts;
  await backend.dispose();
  return { reason, answers, uploadedAfterLoad };
}

export interface PageFacts {
  readonly userAgent: string;
  readonly isIsolated: boolean;
  readonly sharesMemory: boolean;
}

function pageFacts(): PageFacts {
  return {
    userAgent: navigator.userAgent,
    isIsolated: globalThis.crossOriginIsolated === true,
    sharesMemory: typeof SharedArrayBuffer !== 'undefined',
  };
}

/** The name, code and text of the error that asking for such a backend gives; empty where there is none. */
async function refusalOf(setting: WasmSetting): Promise<string> {
  try {
    await (await createWasmBackend(setting)).dispose();
    return '';
  } catch (error) {
    const { name, code, message } = error as Error & { code?: string };
    return `${name} ${code}: ${message}`;
  }
}

function findLevel(level: WasmLevel): Promise<LevelFinding> {
  return probeLevel(level);
}

/** What use-bundle.mjs takes and gives. */
export interface BundleWork {
  readonly input: string;
  readonly loadOptions: { readonly threads?: number; readonly level?: string; readonly worker?: boolean };
  readonly options: { readonly maxNewTokens: number };
}

export interface BundleText {
  readonly text: string;
  readonly ids: readonly number[];
  readonly backend: string;
  readonly level: string;
  readonly threads: number;
  readonly worker: boolean;
}

/** Modules that the page finds at an address, as a page without a bundler does; a literal would be bundled. */
const importFrom = (address: string) => import(address);

async function decodeInPage(work: BundleWork): Promise<BundleText> {
  return (await importFrom('/use-bundle.mjs')).decodeText(work);
}

async function countTurns(work: {
  readonly length: number;
  readonly loadOptions: BundleWork['loadOptions'];
}): Promise<{ readonly timers: number; readonly frames: number; readonly tokens: number }> {
  return (await importFrom('/use-bundle.mjs')).countTurns(work);
}

async function abortThenDecode(
  work: BundleWork & { readonly abortedLength?: number },
): Promise<{ readonly code: string; readonly tokens: number; readonly text: string }> {
  return (await importFrom('/use-bundle.mjs')).abortThenDecode(work);
}

export interface SourcesWork extends BundleWork {
  readonly target: string;
  readonly masked: { readonly ids: readonly number[]; readonly mask: readonly number[] };
}

async function useSources(
  work: SourcesWork,
): Promise<{ readonly logProb: number; readonly vector: readonly number[]; readonly ids: readonly number[] }> {
  return (await importFrom('/use-bundle.mjs')).useSources(work);
}

function decodeInModuleWorker(work: BundleWork): Promise<BundleText> {
  const worker = new Worker('/bundle-worker.mjs', { type: 'module' });
  const answer = new Promise<BundleText>((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.error === undefined ? resolve(data.value) : reject(new Error(data.error)));
    worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
    worker.postMessage(work);
  });
  return answer.finally(() => worker.terminate());
}

/** Fails after the call has been answered, as a forgotten promise does. */
async function failUncaught(): Promise<void> {
  setTimeout(() => Promise.reject(new Error('nobody caught this')));
}

async function hang(): Promise<never> {
  await reportProgress('a test that hangs');
  return new Promise(() => undefined);
}

function hashSampling(): Promise<SamplingBits> {
  return samplingBits();
}

const functions = {
  pageFacts,
  findLevel,
  hashSampling,
  refusalOf,
  runGpuLaws,
  runWasmLaws,
  runGpuGoldens,
  runWasmGoldens,
  decodeOnWasm,
  decodeOnGpu,
  decodeInPage,
  countTurns,
  abortThenDecode,
  useSources,
  decodeInModuleWorker,
  failUncaught,
  hang,
};

export type PageFunctions = typeof functions;

serveCalls(functions);
