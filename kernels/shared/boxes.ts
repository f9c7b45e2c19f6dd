import type { Bias, KvCache, Logits, Plan, Tensor, Vector, Weight } from '../contract';
import { KernelError } from '../errors';
import type { MemoryBudget } from './memoryBudget';

/** What every backend keeps about a box besides the fields of the contract. */
export interface Owned {
  /** The budget of the backend that created the box; null once the box was freed. */
  owner: MemoryBudget | null;
  /** Bytes that the box is charged for. */
  bytes: number;
}

export interface OwnedTensor extends Tensor, Owned {
  rows: number;
  cols: number;
}

export interface OwnedWeight extends Weight, Owned {
  /** One flag for each step of 64 rows: 1 once the step was filled. */
  readonly filled: Uint8Array;
  /** Steps that were not filled yet. */
  missing: number;
}

export interface OwnedVector extends Vector, Owned {}

export interface OwnedBias extends Bias, Owned {}

export interface OwnedCache extends KvCache, Owned {
  slots: number;
}

export interface OwnedPlan extends Plan, Owned {
  rows: number;
  /** Rows whose keys and values are written to the cache: all of them or none. */
  written: number;
  /** Slots that a cache must have to serve this plan. */
  neededSlots: number;
}

export interface OwnedLogits extends Logits, Owned {
  rows: number;
  vocabulary: number;
}

/** The box types of one backend, by the `kind` that the contract gives them. */
export interface BoxTypes {
  tensor: OwnedTensor;
  weight: OwnedWeight;
  vector: OwnedVector;
  bias: OwnedBias;
  cache: OwnedCache;
  plan: OwnedPlan;
  logits: OwnedLogits;
}

/** Any box of a backend. */
export type BoxOf<B extends BoxTypes> =
  | B['tensor']
  | B['weight']
  | B['vector']
  | B['bias']
  | B['cache']
  | B['plan']
  | B['logits'];

/** What a backend's storage offers to the checks that all backends share. `B` holds its box types. */
export interface BoxStorage<B extends BoxTypes> {
  /** Nothing ever sets this. It lets TypeScript find `B` when a storage is passed to a function. */
  readonly boxTypes?: B;
  readonly budget: MemoryBudget;
  /** Gives a tensor a new shape. Its content is undefined until it is written. */
  resize(tensor: B['tensor'], rows: number, cols: number): void;
  /** Gives logits a new shape. Their content is undefined until it is written. */
  resizeLogits(logits: B['logits'], rows: number, vocabulary: number): void;
}

/** Opens a box: gives it in the backend's own type, or refuses a box that was freed or that another backend created. */
export function open<B extends BoxTypes, K extends keyof BoxTypes>(
  storage: BoxStorage<B>,
  box: { readonly kind: K },
  where: string,
): B[K] {
  const { owner } = box as unknown as Owned;
  if (owner !== storage.budget) {
    const found = owner === null ? 'one that was freed' : 'one of another backend';
    throw new KernelError('argument-invalid', `${where}: expected a live ${box.kind} of this backend, found ${found}`);
  }
  return box as unknown as B[K];
}

/** Opens a weight and refuses one that has rows which were never filled. */
export function openWeight<B extends BoxTypes>(storage: BoxStorage<B>, box: Weight, where: string): B['weight'] {
  const weight = open(storage, box, where);
  if (weight.missing > 0) {
    const found = `${weight.missing} of ${weight.filled.length} steps of 64 rows missing`;
    throw new KernelError(
      'argument-invalid',
      `${where}: expected every row of the weight to be filled, found ${found}`,
    );
  }
  return weight;
}
