import { WeightsError } from './errors';
import type { ByteSource } from './types';

/** Bytes in memory. */
export function bufferSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.byteLength,
    read: async (offset, length) => {
      checkRange(name, bytes.byteLength, offset, length);
      return bytes.slice(offset, offset + length);
    },
    dispose: async () => undefined,
  };
}

/** A Blob or File of a browser; only the ranges asked for are read. */
export function blobSource(name: string, blob: Blob): ByteSource {
  return {
    name,
    size: blob.size,
    read: async (offset, length) => {
      checkRange(name, blob.size, offset, length);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
    dispose: async () => undefined,
  };
}

/** A file behind HTTP that answers range requests; only the ranges asked for travel. */
export function httpSource(name: string, url: string, size: number, init: RequestInit = {}): ByteSource {
  return {
    name,
    size,
    read: async (offset, length) => {
      checkRange(name, size, offset, length);
      if (length === 0) return new Uint8Array(0);
      return fetchRange(name, url, { offset, length, size }, init);
    },
    dispose: async () => undefined,
  };
}

async function fetchRange(
  name: string,
  url: string,
  { offset, length, size }: { offset: number; length: number; size: number },
  init: RequestInit,
): Promise<Uint8Array> {
  const range = `bytes=${offset}-${offset + length - 1}`;
  const broken = (error: Error) => {
    if (init.signal?.aborted) return new WeightsError('aborted', `${name}: reading was cancelled`, { cause: error });
    const message = `${name}: expected an answer from ${url}, found ${error.message}`;
    return new WeightsError('io-failed', message, { cause: error });
  };
  const headers = { ...(init.headers as Record<string, string>), range };
  const response = await fetch(url, { ...init, headers }).catch((error: Error) => {
    throw broken(error);
  });
  const whole = response.status === 200 && offset === 0 && length === size;
  if (response.status !== 206 && !whole) {
    await response.body?.cancel();
    throw new WeightsError('io-failed', `${name}: expected ${range} (status 206), found status ${response.status}`);
  }
  const given = response.headers.get('content-range'); // null where CORS does not expose it
  if (!whole && given !== null && !given.startsWith(`bytes ${offset}-`)) {
    await response.body?.cancel();
    throw new WeightsError('io-failed', `${name}: expected ${range}, found ${given}`);
  }
  const buffer = await response.arrayBuffer().catch((error: Error) => {
    throw broken(error);
  });
  if (buffer.byteLength === length) return new Uint8Array(buffer);
  throw new WeightsError('io-failed', `${name}: expected ${length} bytes at ${offset}, found ${buffer.byteLength}`);
}

export function checkRange(name: string, size: number, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= size) return;
  throw new WeightsError(
    'io-failed',
    `${name}: expected a range inside ${size} bytes, found ${offset} to ${offset + length}`,
  );
}
