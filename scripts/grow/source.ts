import { readFloats, rowReader } from '../../engine/stored';
import { decodeRows } from '../../kernels';
import type { Checkpoint, TensorInfo } from '../../weights';

/** A tensor of the source. A vector is one row. */
export interface SourceMatrix {
  /** [rows, width] */
  readonly values: Float32Array;
  readonly width: number;
  /** Standard deviation of the values around 0. */
  readonly spread: number;
}

/** Reads tensors as float32. It keeps the last one, because its rows are asked for many times. */
export function sourceReader(checkpoint: Checkpoint): (name: string) => Promise<SourceMatrix> {
  let last: { name: string; matrix: Promise<SourceMatrix> } | null = null;
  return (name) => {
    if (last?.name !== name) last = { name, matrix: readMatrix(checkpoint, name) };
    return last.matrix;
  };
}

async function readMatrix(checkpoint: Checkpoint, name: string): Promise<SourceMatrix> {
  const info = checkpoint.tensors.get(name) as TensorInfo;
  const values = await floatsOf(checkpoint, info);
  let squares = 0;
  for (const value of values) squares += value * value;
  return { values, width: info.shape[info.shape.length - 1], spread: Math.sqrt(squares / values.length) };
}

async function floatsOf(checkpoint: Checkpoint, info: TensorInfo): Promise<Float32Array> {
  if (info.shape.length !== 2) return readFloats(checkpoint, info);
  const { stored, convert } = await rowReader(checkpoint, info);
  return decodeRows(convert(await checkpoint.read(info.name), 0), stored, info.shape[1]);
}
