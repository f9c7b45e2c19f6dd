import { loadModel, type QuantizeOptions, quantizeCheckpoint } from '../../engine';
import type { Backend, Dtype } from '../../kernels';
import { type Checkpoint, type FileContent, fileSet, openFileSet } from '../../weights';

/** A checkpoint of files in memory. */
export const open = (files: Readonly<Record<string, FileContent>>) => openFileSet(fileSet(files, 'model'));

/** The files of a quantised checkpoint, in memory. */
export async function quantized(checkpoint: Checkpoint, options: QuantizeOptions): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const { name, chunks } of await quantizeCheckpoint(checkpoint, options)) {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks()) parts.push(chunk);
    files[name] = Buffer.concat(parts);
  }
  return files;
}

/** Bits of some logits of a model, its type and its size. */
export async function logitsOf(backend: Backend, checkpoint: Checkpoint, dtype?: Dtype) {
  using model = await loadModel(checkpoint, backend, { dtype });
  const [encoded] = await model.encode([[3, 17, 5, 1]]);
  const stream = encoded.open();
  using view = await model.forward([0, 9, 2].map((token, i) => ({ stream, token, position: i, parent: i - 1 })));
  const rows = [0, 1, 2].map(async (row) => Buffer.from((await view.read(row)).slice().buffer).toString('hex'));
  return { logits: await Promise.all(rows), dtype: model.dtype, weightBytes: model.weightBytes };
}
