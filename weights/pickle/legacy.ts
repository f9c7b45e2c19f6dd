import { quoted } from '../../common';
import { WeightsError } from '../errors';
import type { ByteSource } from '../types';
import { StateDictMakers, type Storage, type TorchFile } from './storages';
import { Dictionary, type Pickled, PickleEnded, unpickle } from './unpickle';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;
/** Bytes read at first. Pickles that are longer are read again from the start, twice as much each time. */
const FIRST_BYTES = 256 << 10;
const MOST_PICKLES = 16 << 20;
/** Each storage begins with its number of elements. */
const COUNT_BYTES = 8;

/**
 * Opens the format of PyTorch before 1.6: five pickles (a magic number, a version, facts of the machine, the state dict, the names of
 * its storages), then the storages one after another (torch/serialization.py, `_legacy_save`).
 */
export async function openLegacy(file: ByteSource): Promise<TorchFile> {
  const { value, storages, names, end } = await readPickles(file);
  const starts = new Map<string, number>();
  let next = end;
  for (const name of Array.isArray(names) ? names : []) {
    const storage = typeof name === 'string' ? storages.get(name) : undefined;
    if (!storage) throw bad(file, 'names of storages of the state dict', quoted(name));
    if (starts.has(storage.key)) throw bad(file, 'each storage once', `${quoted(name)} twice`);
    starts.set(storage.key, next + COUNT_BYTES);
    next += COUNT_BYTES + storage.bytes;
  }
  const lost = [...storages.keys()].find((key) => !starts.has(key));
  if (lost !== undefined) throw bad(file, `storage ${quoted(lost)}`, 'none');
  if (next !== file.size) throw bad(file, `storages that end with the file (${file.size} bytes)`, `${next}`);
  return {
    value,
    startOf: async (storage) => {
      const start = starts.get(storage.key) as number;
      await checkCount(file, start, storages.get(storage.key) as Storage);
      return start;
    },
  };
}

async function checkCount(file: ByteSource, start: number, { key, elements }: Storage): Promise<void> {
  const bytes = await file.read(start - COUNT_BYTES, COUNT_BYTES);
  const count = new DataView(bytes.buffer, bytes.byteOffset, COUNT_BYTES).getBigInt64(0, true);
  if (count !== BigInt(elements)) throw bad(file, `${elements} elements in storage ${quoted(key)}`, `${count}`);
}

interface Pickles {
  readonly value: Pickled;
  readonly names: Pickled;
  readonly storages: ReadonlyMap<string, Storage>;
  /** Where the first storage begins. */
  readonly end: number;
}

async function readPickles(file: ByteSource): Promise<Pickles> {
  for (let length = Math.min(FIRST_BYTES, file.size); ; length = Math.min(2 * length, file.size)) {
    const bytes = await file.read(0, length);
    try {
      return unpickleAll(file, bytes);
    } catch (error) {
      if (!(error instanceof PickleEnded)) throw error;
      if (length === file.size) throw bad(file, 'pickles that are whole', 'their end before');
      if (length >= MOST_PICKLES) throw bad(file, `pickles of at most ${MOST_PICKLES} bytes`, 'more');
    }
  }
}

function unpickleAll(file: ByteSource, bytes: Uint8Array): Pickles {
  const makers = new StateDictMakers(file.name);
  let start = 0;
  const next = (): Pickled => {
    const { value, end } = unpickle(bytes, { file: file.name, makers, start });
    start = end;
    return value;
  };
  const [magic, version, machine] = [next(), next(), next()];
  if (magic !== MAGIC || version !== VERSION) throw bad(file, 'the magic number of torch.save', 'another');
  if (!(machine instanceof Dictionary) || machine.values[machine.keys.indexOf('little_endian')] !== true) {
    throw bad(file, 'values in little-endian order', 'others');
  }
  return { value: next(), names: next(), storages: makers.storages, end: start };
}

function bad({ name }: ByteSource, expected: string, found: string): WeightsError {
  return new WeightsError('header-invalid', `${name}: expected ${expected}, found ${found}`);
}
