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
    close: async () => undefined,
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
    close: async () => undefined,
  };
}

export function checkRange(name: string, size: number, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= size) return;
  throw new WeightsError('io', `${name}: expected a range inside ${size} bytes, found ${offset} to ${offset + length}`);
}
