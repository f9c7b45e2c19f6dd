/** A body that is longer than its reader allows. */
export class BodyTooLong extends Error {}

/**
 * The body of an answer. No more than `most` bytes are read, after decompression, whatever length the server states.
 *
 * @throws BodyTooLong, or what the connection broke with
 */
export async function bodyUpTo(most: number, { body }: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = body?.getReader();
  for (;;) {
    const step = await reader?.read();
    if (!step || step.done) return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
    length += step.value.byteLength;
    parts.push(step.value);
    if (length <= most) continue;
    await reader?.cancel();
    throw new BodyTooLong(`expected at most ${most} bytes, found more`);
  }
}
