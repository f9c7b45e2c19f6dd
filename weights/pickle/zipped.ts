import { quoted } from '../../common';
import { WeightsError } from '../errors';
import type { ByteSource } from '../types';
import { StateDictMakers, type Storage, type TorchFile } from './storages';
import { PickleEnded, unpickle } from './unpickle';
import { readZipEntries, startOf, type ZipEntry } from './zip';

const PICKLE = /^[^/]+\/data\.pkl$/;
/** Most bytes of the pickle, which names tensors and holds none of their values. */
const MOST_PICKLE = 16 << 20;

/**
 * Opens the format of PyTorch 1.6 and later: a zip archive with `NAME/data.pkl` and one entry for each storage, `NAME/data/KEY`
 * (torch/serialization.py, `_save`).
 */
export async function openZipped(file: ByteSource): Promise<TorchFile> {
  const entries = await readZipEntries(file);
  const pickles = [...entries.values()].filter(({ name }) => PICKLE.test(name));
  if (pickles.length !== 1) throw bad(file, 'an archive with one data.pkl', `${pickles.length}`);
  const root = pickles[0].name.slice(0, -'data.pkl'.length);
  await checkByteOrder(file, entries.get(`${root}byteorder`));
  const makers = new StateDictMakers(file.name);
  const bytes = await readEntry(file, pickles[0], MOST_PICKLE);
  const { value } = whole(file, () => unpickle(bytes, { file: file.name, makers }));
  const entryOf = (storage: Storage): ZipEntry => {
    const entry = entries.get(`${root}data/${storage.key}`);
    const found = entry === undefined ? 'none' : `${entry.size}`;
    if (entry && entry.size >= storage.bytes) return entry;
    throw bad(file, `storage ${quoted(storage.key)} of ${storage.bytes} bytes`, found);
  };
  for (const storage of makers.storages.values()) entryOf(storage);
  const starts = new Map<string, Promise<number>>();
  return {
    value,
    startOf: (storage) => {
      const start = starts.get(storage.key) ?? startOf(file, entryOf(storage));
      starts.set(storage.key, start);
      start.catch(() => starts.delete(storage.key)); // a source that failed once may be asked again
      return start;
    },
  };
}

/** Values that another machine wrote in its own order would be read as other values. */
async function checkByteOrder(file: ByteSource, entry: ZipEntry | undefined): Promise<void> {
  if (entry === undefined) return; // before PyTorch 2.1
  const order = new TextDecoder().decode(await readEntry(file, entry, 16)).trim();
  if (order !== 'little') throw bad(file, 'values in little-endian order', quoted(order));
}

async function readEntry(file: ByteSource, entry: ZipEntry, most: number): Promise<Uint8Array> {
  if (entry.size > most) throw bad(file, `${quoted(entry.name)} of at most ${most} bytes`, `${entry.size}`);
  return file.read(await startOf(file, entry), entry.size);
}

/** Runs an unpickler over bytes of which there are no more. */
function whole<T>(file: ByteSource, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof PickleEnded) throw bad(file, 'a pickle that is whole', 'its end before');
    throw error;
  }
}

function bad({ name }: ByteSource, expected: string, found: string): WeightsError {
  return new WeightsError('header-invalid', `${name}: expected ${expected}, found ${found}`);
}
