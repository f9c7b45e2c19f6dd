/**
 * Grows a T5 checkpoint to the shape of a larger model without changing what it computes: the larger model generates what the small one does, at the
 * larger one's cost. A target and its draft that are grown accept as before, so that speculation can be measured at any size on real text.
 *
 *   ts-node scripts/grow-checkpoint.ts models/modernize-target base build/grown/base [--dtype f32|bf16|q8|q4] [--seed 1]
 *
 * A shape is small, base, large, 3b or xxl, or six or seven numbers (`scripts/grow/shape.ts`). Rows are computed while they are written, so memory does
 * not grow with the shape. `scripts/grow/grown.ts` says how it is done.
 */
import { readdir, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { writeCheckpoint } from '../cli/checkpoint-directory';
import { guarded } from '../cli/guard';
import { bytesProgress } from '../cli/progress';
import { type FileDtype, quantizeCheckpoint, vocabularyDtype } from '../engine';
import { storedRowBytes, WEIGHT_TYPES } from '../kernels';
import { type Checkpoint, openCheckpoint, resolveTensors, WeightsError } from '../weights';
import { grownCheckpoint } from './grow/grown';
import { parseShape } from './grow/shape';

const SHARD_BYTES = 4 * 2 ** 30;
const DTYPES: readonly string[] = WEIGHT_TYPES;

export interface GrowOptions {
  /** Directory of the checkpoint to grow. */
  readonly source: string;
  /** What `parseShape` reads. */
  readonly shape: string;
  /** Directory to write, which must not hold anything. */
  readonly out: string;
  readonly dtype?: FileDtype;
  readonly seed?: number;
  readonly shardBytes?: number;
  readonly signal?: AbortSignal;
}

/**
 * Writes a grown checkpoint.
 *
 * @returns its parameters and bytes
 * @throws WeightsError `argument-invalid` for a shape that is unknown or smaller than the source, or an `out` that holds files; `io-failed` for a
 *   disk without room; `config-invalid` for an encoder alone
 */
export async function growCheckpoint(options: GrowOptions): Promise<{ parameters: number; bytes: number }> {
  const { source, shape, out, dtype = 'f32', seed = 1, shardBytes = SHARD_BYTES, signal } = options;
  const original = await openCheckpoint(source);
  const progress = bytesProgress(`growing ${out}`);
  try {
    const grown = grownCheckpoint(original, parseShape(shape, original.config), seed);
    await checkOut(out, sizeOf(grown, dtype));
    const settings = { dtype, shardBytes, signal, onProgress: progress.update };
    const files = await quantizeCheckpoint(grown, settings);
    const bytes = await writeCheckpoint(out, files, signal ?? new AbortController().signal);
    return { parameters: parametersOf(grown), bytes };
  } finally {
    progress.stop();
    await original.dispose();
  }
}

function parametersOf({ tensors }: Checkpoint): number {
  return [...tensors.values()].reduce((sum, { bytes }) => sum + bytes / 4, 0);
}

/** Bytes of the weights in a type. Vectors and tables of the position bias, which stay float32, are small beside them. */
function sizeOf(checkpoint: Checkpoint, dtype: FileDtype): number {
  const { embedding, head } = resolveTensors(checkpoint);
  let bytes = 0;
  for (const { name, shape } of checkpoint.tensors.values()) {
    const [rows, cols] = shape.length === 2 ? shape : [1, shape[0]];
    const type = name === embedding || name === head ? vocabularyDtype(dtype) : dtype;
    bytes += rows * (storedRowBytes(type, cols) as number);
  }
  return bytes;
}

async function checkOut(out: string, bytes: number): Promise<void> {
  const held = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new WeightsError('io-failed', `${out}: expected a directory to write, found ${error.code}`);
  });
  if (held.length > 0) {
    throw new WeightsError(
      'argument-invalid',
      `${out}: expected a new or an empty directory, found ${held.length} files`,
    );
  }
  const free = await roomAt(resolve(out));
  if (bytes <= free) return;
  const [needed, found] = [bytes, free].map((count) => `${(count / 1e9).toFixed(1)} GB`);
  throw new WeightsError('io-failed', `${out}: expected room for ${needed} on the disk, found ${found}`);
}

/** Free bytes on the disk of a directory that may not be there yet. */
async function roomAt(path: string): Promise<number> {
  const found = await statfs(path).catch(() => null);
  if (found === null) return roomAt(dirname(path));
  return found.bavail * found.bsize;
}

const USAGE = 'grow-checkpoint.ts SOURCE SHAPE OUT [--dtype f32|bf16|q8|q4] [--seed 1]';

/** The command. @throws what `growCheckpoint` throws; WeightsError `argument-invalid` for a wrong call */
export async function runGrow(argv: readonly string[], signal: AbortSignal): Promise<void> {
  const options = { dtype: { type: 'string', default: 'f32' }, seed: { type: 'string', default: '1' } } as const;
  const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
  const seed = Number(values.seed);
  if (positionals.length !== 3 || !DTYPES.includes(values.dtype) || !Number.isInteger(seed)) {
    throw new WeightsError('argument-invalid', `expected ${USAGE}, found ${argv.join(' ')}`);
  }
  const [source, shape, out] = positionals;
  const { parameters, bytes } = await growCheckpoint({
    source,
    shape,
    out,
    dtype: values.dtype as FileDtype,
    seed,
    signal,
  });
  console.log(
    `${out}: ${parameters.toLocaleString('en')} parameters as ${values.dtype}, ${bytes.toLocaleString('en')} bytes`,
  );
}

if (require.main === module) guarded((signal) => runGrow(process.argv.slice(2), signal));
