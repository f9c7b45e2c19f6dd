import { quoted } from '../../common';
import { WeightsError } from '../errors';
import { BITS } from '../safetensors/header';
import type { SafetensorsType } from '../types';
import { Dictionary, type Makers, type Pickled } from './unpickle';

/** The type of each class of storage. Types that are not among them have no class, and torch names them in other ways. */
const STORAGE_TYPES: Readonly<Record<string, SafetensorsType>> = {
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  DoubleStorage: 'F64',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

/** Elements in a file, which one or several tensors are views of. */
export class Storage {
  constructor(
    /** Its name in the file. */
    readonly key: string,
    readonly type: SafetensorsType,
    readonly elements: number,
  ) {}

  get elementBytes(): number {
    return BITS[this.type] / 8;
  }

  get bytes(): number {
    return this.elements * this.elementBytes;
  }
}

/** A view of a storage. All counts are in elements. */
export class StoredTensor {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}

  get elements(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  /** Whether its elements follow one another in the storage, row by row. */
  get isContiguous(): boolean {
    let expected = 1;
    for (let i = this.shape.length - 1; i >= 0; i--) {
      if (this.shape[i] !== 1 && this.strides[i] !== expected) return false;
      expected *= this.shape[i];
    }
    return true;
  }

  /** Text that two tensors have in common when they are the same view of the same storage. */
  get place(): string {
    return JSON.stringify([this.storage.key, this.storage.type, this.offset, this.shape, this.strides]);
  }
}

/** A state dict in a file of `torch.save`, and where the bytes of its storages are. */
export interface TorchFile {
  readonly value: Pickled;
  /** Offset of a storage's first byte in the file. */
  readonly startOf: (storage: Storage) => Promise<number>;
}

/** A class or function that may be named in a state dict. */
class Known {
  constructor(readonly name: string) {}
}

/** A class of storages. */
class StorageClass {
  constructor(readonly type: SafetensorsType) {}
}

const DICT = 'collections.OrderedDict';
const TENSOR = 'torch._utils._rebuild_tensor_v2';
const OLD_TENSOR = 'torch._utils._rebuild_tensor';
const PARAMETER = 'torch._utils._rebuild_parameter';
const CALLABLE: readonly string[] = [DICT, TENSOR, OLD_TENSOR, PARAMETER];
/** More dimensions than torch has for a tensor. */
const MOST_DIMENSIONS = 64;

/**
 * What a state dict is made of: tensors, parameters, ordered dicts and storages.
 *
 * @throws WeightsError `header-invalid` that names any other class, or `tensor-invalid` for a view outside of its storage
 */
export class StateDictMakers implements Makers {
  /** Storages by their name in the file. */
  readonly storages = new Map<string, Storage>();

  constructor(private readonly file: string) {}

  global(module: string, name: string): object {
    const full = `${module}.${name}`;
    if (CALLABLE.includes(full)) return new Known(full);
    if (module === 'torch' && Object.hasOwn(STORAGE_TYPES, name)) return new StorageClass(STORAGE_TYPES[name]);
    throw this.error('header-invalid', 'nothing but tensors in a state dict', `a request for ${quoted(full)}`);
  }

  call(callee: Pickled, args: Pickled): Pickled {
    if (!(callee instanceof Known) || !Array.isArray(args)) {
      throw this.error('header-invalid', 'a call that makes a tensor', 'another');
    }
    if (callee.name === TENSOR || callee.name === OLD_TENSOR) return this.tensor(args);
    if (callee.name === PARAMETER && args[0] instanceof StoredTensor) return args[0];
    if (callee.name === DICT && args.length === 0) return new Dictionary();
    throw this.error('header-invalid', `arguments of ${callee.name}`, 'others');
  }

  persistent(id: Pickled): Pickled {
    const [tag, kind, key, , elements, view] = Array.isArray(id) ? id : [];
    const wellFormed =
      tag === 'storage' && kind instanceof StorageClass && typeof key === 'string' && isCount(elements);
    if (!wellFormed || (view ?? null) !== null)
      throw this.error('header-invalid', 'a reference to a storage', 'another');
    const storage = new Storage(key, kind.type, elements);
    if (!Number.isSafeInteger(storage.bytes)) throw this.error('header-invalid', 'a storage below 2^53 bytes', 'more');
    const known = this.storages.get(key);
    if (known === undefined || known.bytes < storage.bytes) this.storages.set(key, storage);
    return storage;
  }

  private tensor([storage, offset, shape, strides]: readonly Pickled[]): StoredTensor {
    const wellFormed = storage instanceof Storage && isCount(offset) && isCounts(shape) && isCounts(strides);
    if (!wellFormed || shape.length !== strides.length) {
      throw this.error('tensor-invalid', 'a storage, an offset, a shape and strides of a tensor', 'others');
    }
    const tensor = new StoredTensor(storage, offset, shape, strides);
    let last = offset;
    for (const [i, size] of shape.entries()) last += (size - 1) * strides[i];
    // Fewer elements than the storage has: what is read stays within the size of the file.
    const fits = shape.includes(0) || (last < storage.elements && tensor.elements <= storage.elements);
    if (fits && offset <= storage.elements) return tensor;
    const found = `offset ${offset}, shape ${quoted([...shape])}, strides ${quoted([...strides])}`;
    throw this.error(
      'tensor-invalid',
      `a view inside ${storage.elements} elements of storage ${quoted(storage.key)}`,
      found,
    );
  }

  private error(code: 'header-invalid' | 'tensor-invalid', expected: string, found: string): WeightsError {
    return new WeightsError(code, `${this.file}: expected ${expected}, found ${found}`);
  }
}

function isCount(value: Pickled): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isCounts(value: Pickled): value is number[] {
  return Array.isArray(value) && value.length <= MOST_DIMENSIONS && value.every(isCount);
}
