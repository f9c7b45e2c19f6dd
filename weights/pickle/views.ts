import type { ByteSource } from '../types';
import type { StoredTensor, TorchFile } from './storages';

/**
 * Tensors of a file of `torch.save`, end to end and each in row-major order. A contiguous tensor is read from the file range by range.
 * Another one is a view with strides: it is put in order whole, and kept until another is asked for.
 */
export class ViewSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  /** Where each tensor begins. */
  readonly begins: readonly number[];
  private ordered: { readonly tensor: StoredTensor; readonly bytes: Promise<Uint8Array> } | null = null;

  constructor(
    private readonly file: ByteSource,
    private readonly startOf: TorchFile['startOf'],
    private readonly tensors: readonly StoredTensor[],
  ) {
    this.name = file.name;
    const begins: number[] = [];
    let next = 0;
    for (const tensor of tensors) {
      begins.push(next);
      next += tensor.elements * tensor.storage.elementBytes;
    }
    this.begins = begins;
    this.size = next;
  }

  /** Bytes of one tensor: no read reaches from one into the next. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    if (length === 0) return new Uint8Array(0);
    const i = this.indexAt(offset);
    const tensor = this.tensors[i];
    const from = offset - this.begins[i];
    if (!tensor.isContiguous) return (await this.inOrder(tensor)).slice(from, from + length);
    const start = await this.startOf(tensor.storage);
    return this.file.read(start + tensor.offset * tensor.storage.elementBytes + from, length);
  }

  dispose(): Promise<void> {
    this.ordered = null;
    return this.file.dispose();
  }

  /** The tensor that has the byte at `offset`: of those that begin there or before, the last. Empty ones have none. */
  private indexAt(offset: number): number {
    let low = 0;
    let high = this.begins.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.begins[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private inOrder(tensor: StoredTensor): Promise<Uint8Array> {
    if (this.ordered?.tensor === tensor) return this.ordered.bytes;
    const bytes = this.gather(tensor);
    this.ordered = { tensor, bytes };
    bytes.catch(() => {
      if (this.ordered?.bytes === bytes) this.ordered = null;
    });
    return bytes;
  }

  private async gather({ storage, offset, shape, strides, elements }: StoredTensor): Promise<Uint8Array> {
    const size = storage.elementBytes;
    const start = await this.startOf(storage);
    let last = 0;
    for (const [i, stride] of strides.entries()) last += (shape[i] - 1) * stride;
    const stored = await this.file.read(start + offset * size, (last + 1) * size);
    const ordered = new Uint8Array(elements * size);
    const index = shape.map(() => 0);
    let from = 0;
    for (let to = 0; to < elements; to++) {
      for (let byte = 0; byte < size; byte++) ordered[to * size + byte] = stored[from * size + byte];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        from += strides[axis];
        if (++index[axis] < shape[axis]) break;
        index[axis] = 0;
        from -= strides[axis] * shape[axis];
      }
    }
    return ordered;
  }
}
