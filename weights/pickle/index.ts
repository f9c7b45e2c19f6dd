import { quoted } from '../../common';
import { WeightsError } from '../errors';
import type { SafetensorsIndex } from '../safetensors/header';
import type { ByteSource, TensorInfo } from '../types';
import { openLegacy } from './legacy';
import { StoredTensor } from './storages';
import { Dictionary, type Pickled } from './unpickle';
import { ViewSource } from './views';
import { openZipped } from './zipped';

const ZIP = 'PK';
/** The operation PROTO with protocol 2, which a file before PyTorch 1.6 begins with. */
const PICKLE = '\x80\x02';

/**
 * Opens a file that `torch.save` wrote, such as `pytorch_model.bin`: reads the names and places of its tensors, and none of their
 * bytes. The pickle in it is read by an unpickler that can make tensors and nothing else.
 *
 * @returns the tensors as in a safetensors file, and a source in which they lie end to end: a tensor's `begin` is its offset there
 * @throws WeightsError `header-invalid`, `tensor-invalid` or `io-failed`
 */
export async function openTorchFile(file: ByteSource): Promise<{ index: SafetensorsIndex; source: ByteSource }> {
  const first = await file.read(0, Math.min(file.size, 24));
  const text = String.fromCharCode(...first);
  if (!text.startsWith(ZIP) && !text.startsWith(PICKLE)) {
    throw new WeightsError(
      'header-invalid',
      `${file.name}: expected a file that torch.save wrote, found one that begins with ${quoted(text)}`,
    );
  }
  const opened = await (text.startsWith(ZIP) ? openZipped(file) : openLegacy(file));
  const tensors = namedTensors(opened.value, file.name);
  const source = new ViewSource(file, opened.startOf, [...tensors.values()]);
  const infos = new Map<string, TensorInfo & { begin: number }>();
  const places = new Map<string, string>();
  for (const [i, [name, tensor]] of [...tensors].entries()) {
    const { shape, storage, elements, place } = tensor;
    const info = { name, type: storage.type, shape, bytes: elements * storage.elementBytes, file: file.name };
    const sameAs = places.get(place);
    if (sameAs === undefined) places.set(place, name);
    infos.set(name, { ...info, begin: source.begins[i], ...(sameAs === undefined ? {} : { sameAs }) });
  }
  return { index: { tensors: infos, metadata: {} }, source };
}

/** The tensors of a state dict. Other values in it, such as counters, are no weights. */
function namedTensors(value: Pickled, file: string): Map<string, StoredTensor> {
  if (!(value instanceof Dictionary)) {
    throw new WeightsError('header-invalid', `${file}: expected a state dict, found another value`);
  }
  const tensors = new Map<string, StoredTensor>();
  for (const [i, key] of value.keys.entries()) {
    const tensor = value.values[i];
    if (typeof key === 'string' && tensor instanceof StoredTensor) tensors.set(key, tensor);
  }
  return tensors;
}
