/** The bundled pair in the shapes of real models, grown when it is first asked for. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type FileDtype, loadModel, type T5Model } from '../../engine';
import type { Backend, Dtype } from '../../kernels';
import { growCheckpoint } from '../../scripts/grow-checkpoint';
import { openCheckpoint } from '../../weights';
import { residentBytes } from './machine';

const ROOT = join(__dirname, '..', '..');
const MODELS = join(ROOT, 'models');

/** Which bundled model is grown, to which shape, and the type that it is written in. */
export interface GrownModel {
  readonly source: 'modernize-target' | 'modernize-draft';
  /** What `parseShape` reads. */
  readonly shape: string;
  readonly dtype: FileDtype;
}

/** The directory of a grown model. It is written when it is not there. */
export async function directoryOf({ source, shape, dtype }: GrownModel, folder: string): Promise<string> {
  const out = join(folder, `${source}-${shape.replaceAll(',', '-')}-${dtype}`);
  if (existsSync(join(out, 'config.json'))) return out;
  console.log(`growing ${source} to ${shape} as ${dtype} into ${out}`);
  await growCheckpoint({ source: join(MODELS, source), shape, out, dtype });
  return out;
}

/** A model that was loaded, and what loading took. */
export interface LoadedModel {
  readonly model: T5Model;
  readonly seconds: number;
  /** Resident bytes of the process after it, less those before. */
  readonly residentBytes: number;
}

/** @param copy type of the decoder's copy that drafts for its own model; null for none */
export async function load(
  directory: string,
  backend: Backend,
  { dtype, copy = null }: { dtype: Dtype; copy?: Dtype | null },
): Promise<LoadedModel> {
  const before = residentBytes();
  const started = performance.now();
  await using checkpoint = await openCheckpoint(directory);
  const model = await loadModel(checkpoint, backend, { dtype, copy: copy ?? undefined });
  return { model, seconds: (performance.now() - started) / 1000, residentBytes: residentBytes() - before };
}
