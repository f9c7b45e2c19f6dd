/** What loading a model reads, and whether its weights fit. */
import type { BackendFacts, Dtype } from '../kernels';
import { type Checkpoint, type ResolvedTensors, rowScaleName, type TensorInfo } from '../weights';
import { vocabularyDtype } from './dtypes';
import { checkWeightsFit } from './memory';
import { blockMatrices, isNarrowable, savedBytes } from './narrow';

/** The types that a model is loaded in. */
export interface Types {
  readonly dtype: Dtype;
  /** Type of the decoder's copy; none by default. */
  readonly copy?: Dtype;
  /** Matrices that are kept in bf16 where it holds them without loss. */
  readonly narrowable: ReadonlySet<string>;
}

/** The room that a model's weights have and take, while they are loaded. */
export class Room {
  /** Bytes that are read of the checkpoint. */
  stored = 0;
  /** Bytes that the weights take if no further matrix is narrowed. */
  private needed = 0;
  /** Bytes that every narrowable matrix together takes less in bf16. */
  private savable = 0;
  private taken = 0;
  private isChecked = false;

  /** Adds up what a model needs, before anything is read. */
  constructor(
    private readonly checkpoint: Pick<Checkpoint, 'name' | 'tensors'>,
    private readonly facts: BackendFacts,
    readonly types: Types,
    tensors: ResolvedTensors,
  ) {
    const { dtype, copy, narrowable } = types;
    const typeIn = (name: string, type: Dtype): Dtype =>
      name === tensors.embedding || name === tensors.head ? vocabularyDtype(type) : type;
    const read = (name: string): TensorInfo => {
      const info = checkpoint.tensors.get(name) as TensorInfo;
      this.stored += info.bytes + (scaleOf(checkpoint, info)?.bytes ?? 0);
      return info;
    };
    for (const name of copy === undefined ? [] : copiedNames(tensors, copy, dtype)) {
      const { shape } = read(name);
      this.needed += facts.weightBytes(shape[0], shape[1], typeIn(name, copy as Dtype));
    }
    for (const { name } of tensors.all) {
      const info = read(name);
      const { shape, bytes } = info;
      this.needed += shape.length === 2 ? facts.weightBytes(shape[0], shape[1], typeIn(name, dtype)) : bytes;
      if (narrowable.has(name) && isNarrowable(info, facts)) this.savable += savedBytes(info, facts);
    }
  }

  /**
   * Refuses weights that do not fit even if every matrix that may be narrowed is.
   *
   * @throws EngineError `out-of-memory`
   */
  checkLeast(): void {
    const { needed: bytes, savable } = this;
    checkWeightsFit(this.facts, { name: this.checkpoint.name, dtype: this.types.dtype, bytes, least: bytes - savable });
  }

  /**
   * Refuses weights that do not fit as they are, when one of them could not be narrowed: the others may be like it.
   *
   * @throws EngineError `out-of-memory`
   */
  checkWhole(): void {
    if (this.isChecked) return;
    this.isChecked = true;
    const { needed: bytes, taken } = this;
    checkWeightsFit(this.facts, { name: this.checkpoint.name, dtype: this.types.dtype, bytes, taken });
  }

  /** Bytes of weights were allocated, so many less than without narrowing. */
  take(bytes: number, saved = 0): void {
    this.taken += bytes;
    this.needed -= saved;
  }
}

/** The matrices that the decoder's copy has of its own: a head only where the model's has another type. */
function copiedNames(tensors: ResolvedTensors, copy: Dtype, dtype: Dtype): string[] {
  const blocks = blockMatrices(tensors);
  return sharesHead(copy, dtype) ? blocks : [tensors.head, ...blocks];
}

/** Whether the decoder's copy uses the model's own head. The types that were asked for decide, not how the values are kept. */
export function sharesHead(copy: Dtype, dtype: Dtype): boolean {
  return vocabularyDtype(copy) === vocabularyDtype(dtype);
}

/** The scales of the rows of a matrix in int8. */
function scaleOf({ tensors }: Pick<Checkpoint, 'tensors'>, { name, type }: TensorInfo): TensorInfo | undefined {
  return type === 'I8' ? tensors.get(rowScaleName(name)) : undefined;
}
