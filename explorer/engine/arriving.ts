import { type FileSet, fileSet, WeightsError } from '../../weights';
import type { OnProgress } from './ways';

type ByteSource = Awaited<ReturnType<FileSet['open']>>;

/** Somebody who waits until so many bytes have come. */
interface Waiting {
  readonly end: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A file that an answer brings. What has come of it can be read while the rest is on its way; all of it stays in memory.
 *
 * @throws WeightsError `io-failed`, where it is read, when the answer breaks off
 */
export async function arriving(
  folder: string,
  file: string,
  answer: Response,
  onProgress: OnProgress,
): Promise<ByteSource> {
  const sourceOf = (bytes: Uint8Array) => fileSet({ [file]: bytes }, folder).open(file);
  const total = Number(answer.headers.get('content-length') ?? 0);
  const isEncoded = answer.headers.has('content-encoding'); // then the length is that of the compressed body
  if (answer.body === null || total === 0 || isEncoded) return sourceOf(new Uint8Array(await answer.arrayBuffer()));
  const bytes = new Uint8Array(total);
  const source = await sourceOf(bytes);
  const waiting = new Set<Waiting>();
  let loaded = 0;
  let failure: WeightsError | null = null;
  const receive = async (reader: ReadableStreamDefaultReader<Uint8Array>) => {
    // WebKit cannot iterate over a body.
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      bytes.set(part.value, loaded);
      loaded += part.value.length;
      for (const one of waiting) if (one.end <= loaded && waiting.delete(one)) one.resolve();
      onProgress(source.name, loaded, total);
    }
    if (loaded < total) throw new Error(`${loaded} of ${total} bytes`);
  };
  receive(answer.body.getReader()).catch((error: Error) => {
    failure = new WeightsError('io-failed', `${source.name}: expected the file, found ${error.message}`, {
      cause: error,
    });
    for (const { reject } of waiting) reject(failure);
  });
  const arrived = (end: number) =>
    new Promise<void>((resolve, reject) => {
      if (end <= loaded) resolve();
      else if (failure !== null) reject(failure);
      else waiting.add({ end, resolve, reject });
    });
  return {
    ...source,
    read: async (offset, length) => {
      await arrived(Math.min(offset + length, total));
      return source.read(offset, length);
    },
  };
}
