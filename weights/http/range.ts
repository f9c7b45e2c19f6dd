import { quoted } from '../../common';
import { WeightsError } from '../errors';
import { checkRange } from '../range';
import type { ByteSource } from '../types';
import { endedEarly } from './answer';
import type { Client } from './client';
import { refusal } from './failures';

/** A file on a server that answers range requests. Every read is one request for exactly its bytes. */
export function rangeSource(
  client: Client,
  { name, url, size }: { name: string; url: string; size: number },
): ByteSource {
  return {
    name,
    size,
    read: async (offset, length) => {
      checkRange(name, size, offset, length);
      if (length === 0) return new Uint8Array(0);
      return client.retry(name, () => readRange(client, { name, url, size }, offset, length));
    },
    dispose: async () => undefined,
  };
}

async function readRange(
  client: Client,
  { name, url, size }: { name: string; url: string; size: number },
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const range = `bytes=${offset}-${offset + length - 1}`;
  const answer = await client.open({ what: name, url, headers: { range } });
  try {
    const { status, headers } = answer;
    const isWhole = status === 200 && offset === 0 && length === size;
    if (status === 200 && !isWhole) {
      const message = `${name}: expected ${range} (status 206), found the whole file (status 200); the server knows no ranges`;
      throw new WeightsError('hub-failed', message);
    }
    if (status !== 200 && status !== 206) throw refusal(name, status, headers);
    const given = headers.get('content-range'); // null in a page whose server does not expose it (CORS)
    if (!isWhole && given !== null && !given.startsWith(`bytes ${offset}-`)) {
      throw new WeightsError('hub-failed', `${name}: expected ${range}, found ${quoted(given)}`);
    }
    const bytes = await answer.bytes(length);
    if (bytes.byteLength < length) throw endedEarly(length, bytes.byteLength);
    return bytes;
  } finally {
    answer.dispose();
  }
}
