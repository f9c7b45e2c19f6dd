import { invalid } from '../common';
import { createClient } from './http/client';
import { rangeSource } from './http/range';
import { createTransport } from './http/transport.node';
import { checkRange } from './range';
import type { ByteSource } from './types';

/** Longest silence of a connection where the caller does not say, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 30_000;

/** Bytes in memory. */
export function bufferSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.byteLength,
    read: async (offset, length) => {
      checkRange(name, bytes.byteLength, offset, length);
      return new Uint8Array(bytes.subarray(offset, offset + length)); // a copy, of Node's Buffer too
    },
    dispose: async () => undefined,
  };
}

/** A Blob, or a File that a user picks in a page. Every read loads only its own bytes. */
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

export interface HttpSourceOptions {
  /** Headers for the server of `url`, such as an access token. Another origin, where a redirect leads, does not get them. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Longest silence of a connection, in milliseconds. Default: 30,000. */
  readonly timeoutMs?: number;
}

/**
 * A file on a server that answers range requests. Every read is one request for exactly its bytes, tried again after a
 * broken connection. In Node it goes through the proxy that the environment names, if any.
 *
 * @param size of the file, in bytes
 */
export function httpSource(name: string, url: string, size: number, options: HttpSourceOptions = {}): ByteSource {
  const { headers = {}, signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const base = globalThis.location?.href; // a page may name its own files by relative addresses
  if (!URL.canParse(url, base)) throw invalid(`${name}: url`, 'an address', url);
  const { href, origin } = new URL(url, base);
  const client = createClient({ transport: createTransport(), secret: { origin, headers }, signal, timeoutMs });
  return rangeSource(client, { name, url: href, size });
}
