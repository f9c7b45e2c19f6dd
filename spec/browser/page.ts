import { generate, modelDrafter, type Settings } from '../../decoding';
import { loadModel, type T5Model } from '../../engine';
import { type Backend, createGpuBackend, gpuCounters } from '../../kernels';
import type { GpuLevel } from '../../kernels/gpu';
import { openFileSet } from '../../weights';
import { describeBackendLaws } from '../kernels/laws';
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
      return { name: file, size: bytes.length, read, close: async () => undefined };
    },
  };
}

async function load(backend: Backend, name: string, files: readonly string[]): Promise<T5Model> {
  const checkpoint = await openFileSet(overHttp(name, files));
  return loadModel(checkpoint, backend, { type: 'f32' });
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
  const target = await load(backend, 'modernize-target', files);
  const draft = await load(backend, 'modernize-draft', files);
  const before = gpuCounters(backend)!.uploadedBytes;
  const run = async (speculate: boolean) => {
    const decoding = generate({ target, drafter: speculate ? modelDrafter(draft) : null, source, settings });
    let accepted = 0;
    for (;;) {
      const step = await decoding.next();
      if (step.done) return { ids: step.value.ids, accepted };
      if (step.value.origin === 'accepted') accepted++;
    }
  };
  const plain = await run(false);
  const speculative = await run(true);
  const uploadedAfterLoad = gpuCounters(backend)!.uploadedBytes - before;
  const { reason } = backend.facts;
  await backend.dispose();
  return { reason, plain: plain.ids, speculative: speculative.ids, accepted: speculative.accepted, uploadedAfterLoad };
}

Object.assign(globalThis, { runLaws, decodePair });
