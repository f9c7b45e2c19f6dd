import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadModel, type T5Model } from '../../engine';
import { type Backend, type BackendName, type BackendOptions, createBackend, type Dtype } from '../../kernels';
import { decode, firstDifference } from '../../testing/bits';
import { openCheckpoint } from '../../weights';

export { type Decoded, decode, firstDifference } from '../../testing/bits';

const ROOT = path.join(__dirname, '..', '..');

export interface Pair {
  readonly target: T5Model;
  readonly draft: T5Model;
  readonly backend: Backend;
  close(): Promise<void>;
}

/** Target and draft directories on one backend. */
export async function openPair(
  directories: { readonly target: string; readonly draft: string },
  name: BackendName,
  dtype: Dtype,
  options: BackendOptions = {},
): Promise<Pair> {
  // One thread, because jest runs several files at once. Bits do not depend on the number of threads (wasm-levels.spec.ts).
  const backend = await createBackend(name, { threads: 1, ...options });
  const load = async (directory: string) => {
    const checkpoint = await openCheckpoint(directory);
    const model = await loadModel(checkpoint, backend, { dtype });
    await checkpoint.dispose();
    return model;
  };
  const [target, draft] = [await load(directories.target), await load(directories.draft)];
  const close = async () => {
    target.dispose();
    draft.dispose();
    await backend.dispose();
  };
  return { target, draft, backend, close };
}

export const BUNDLED = {
  target: path.join(ROOT, 'models', 'modernize-target'),
  draft: path.join(ROOT, 'models', 'modernize-draft'),
};

/** Ids of the 200 held-out passages, with the prefix that the bundled pair needs. */
export async function heldOutSources(): Promise<number[][]> {
  const passages: { source: string }[] = JSON.parse(readFileSync(path.join(ROOT, 'models', 'held-out.json'), 'utf8'));
  const checkpoint = await openCheckpoint(BUNDLED.target);
  const tokenizer = await checkpoint.tokenizer();
  await checkpoint.dispose();
  return passages.map(({ source }) => tokenizer.encode(`modernize: ${source}`));
}

/** Decodes sources without a draft and with each of their γ, expects equal runs, and counts the target calls of both. */
export async function compareAll(
  pair: Pair,
  chosen: readonly { readonly source: readonly number[]; readonly gammas: readonly number[] }[],
): Promise<{ plain: number; speculative: number }> {
  let [plain, speculative] = [0, 0];
  for (const { source, gammas } of chosen) {
    const expected = await decode(pair.target, null, source, {});
    for (const gamma of gammas) {
      const found = await decode(pair.target, pair.draft, source, { gamma });
      expect({ gamma, difference: firstDifference(found, expected) }).toEqual({ gamma, difference: null });
      plain += expected.targetCalls;
      speculative += found.targetCalls;
    }
  }
  return { plain, speculative };
}
