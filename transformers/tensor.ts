import { quoted, TandemError } from '../common';

/** Numbers in lists of lists, as deep as a tensor has dimensions. */
export type Nested = bigint | Nested[];

/**
 * Token ids as transformers.js gives them: `data` in order of rows, `dims` their shape. `tensor[i]` is row i, and `tolist()` gives
 * nested lists. It holds 64-bit integers and has no arithmetic.
 */
export class Tensor implements Iterable<Tensor | bigint> {
  readonly type = 'int64';
  readonly data: BigInt64Array;
  readonly dims: readonly number[];
  readonly [row: number]: Tensor;

  /** @throws TandemError `argument-invalid` when the data do not fill the shape */
  constructor(type: 'int64', data: BigInt64Array | readonly (bigint | number)[], dims: readonly number[]) {
    if (type !== 'int64') throw new TandemError('argument-invalid', `Tensor: expected int64, found ${quoted(type)}`);
    this.data = data instanceof BigInt64Array ? data : BigInt64Array.from(data, BigInt);
    this.dims = dims;
    const size = dims.reduce((product, n) => product * n, 1);
    if (size !== this.data.length) {
      throw new TandemError(
        'argument-invalid',
        `Tensor: expected ${size} elements for [${dims}], found ${this.data.length}`,
      );
    }
    // biome-ignore lint/correctness/noConstructorReturn: rows are read as tensor[i]
    return new Proxy(this, {
      get: (target, key, receiver) => {
        const row = typeof key === 'string' && /^\d+$/.test(key) ? Number(key) : null;
        return row === null ? Reflect.get(target, key, receiver) : target.row(row);
      },
    });
  }

  /** A tensor of rows of one length. */
  static ofRows(rows: readonly (readonly number[])[]): Tensor {
    return new Tensor('int64', rows.flat(), [rows.length, rows[0]?.length ?? 0]);
  }

  get size(): number {
    return this.data.length;
  }

  /** Nested lists in the tensor's shape. */
  tolist(): Nested[] {
    return this.dims.length <= 1 ? [...this.data] : Array.from(this, (row) => (row as Tensor).tolist());
  }

  /** Its rows; of one dimension, its elements. */
  *[Symbol.iterator](): Iterator<Tensor | bigint> {
    if (this.dims.length <= 1) yield* this.data;
    else for (let i = 0; i < this.dims[0]; i++) yield this.row(i) as Tensor;
  }

  private row(index: number): Tensor | undefined {
    const [rows, ...dims] = this.dims;
    if (index >= (rows ?? 0)) return undefined;
    const size = this.data.length / rows;
    return new Tensor('int64', this.data.slice(index * size, (index + 1) * size), dims);
  }
}

/** Rows of ids in any form that programs have them: a tensor of one or two dimensions, a list, a list of lists. */
export type Ids = Tensor | IdRow | readonly IdRow[];

/** Ids of one sequence. */
export type IdRow = readonly (number | bigint)[] | BigInt64Array | Int32Array;

/** @throws TandemError `argument-invalid` */
export function rowsOf(ids: Ids, where: string): number[][] {
  const wrong = (found: unknown) =>
    new TandemError('argument-invalid', `${where}: expected a tensor of ids, or lists of ids, found ${quoted(found)}`);
  if (typeof ids !== 'object' || ids === null) throw wrong(ids);
  const { data, dims } = ids as Partial<Tensor>;
  if (data !== undefined && dims !== undefined) {
    if (dims.length > 2) throw wrong(`a tensor of shape [${dims}]`);
    const width = dims[dims.length - 1] ?? 0;
    const rows = dims.length === 1 ? 1 : dims[0];
    return Array.from({ length: rows }, (_, i) => numbers(data.slice(i * width, (i + 1) * width), wrong));
  }
  const list = Array.from(ids as ArrayLike<number | bigint | IdRow>);
  const isRow = list.every((id) => typeof id !== 'object');
  return isRow ? [numbers(list as (number | bigint)[], wrong)] : list.map((row) => numbers(row as IdRow, wrong));
}

function numbers(row: ArrayLike<number | bigint>, wrong: (found: unknown) => Error): number[] {
  return Array.from(row, (id) => {
    const value = typeof id === 'bigint' ? Number(id) : id;
    if (!Number.isSafeInteger(value)) throw wrong(id);
    return value;
  });
}
