/** Types of weights that nobody has to name. */
import type { Backend, Dtype } from '../kernels';
import { type Checkpoint, resolveTensors } from '../weights';

/**
 * The type of the weights when the caller names none: q4 where any matrix is stored in it, and else the one that the embedding is stored
 * as. Nothing else takes the place of q4 where the backend does not have it, so that loading says so.
 */
export function storedDtype(checkpoint: Checkpoint, backend: Backend): Dtype {
  const { all, embedding: name } = resolveTensors(checkpoint);
  if (all.some((one) => checkpoint.tensors.get(one.name)?.packing === 'q4')) return 'q4';
  const embedding = checkpoint.tensors.get(name);
  const stored: Dtype = embedding?.packing ?? (embedding?.type === 'BF16' ? 'bf16' : 'f32');
  return backend.facts.weightTypes.includes(stored) ? stored : 'f32';
}

/**
 * The type of the vocabulary's matrices, the embedding and the head, in a model of a type. In q4 they are q8: with 4 bits there a draft
 * would agree less often.
 */
export function vocabularyDtype(dtype: Dtype): Dtype {
  return dtype === 'q4' ? 'q8' : dtype;
}
