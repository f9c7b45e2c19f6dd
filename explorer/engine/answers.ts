import { WeightsError } from '../../weights';

/** @throws WeightsError `io-failed` when the file cannot be had */
export async function answerOf(url: URL, request: RequestInit): Promise<Response>;
/** @returns null when there is no such file, where it is optional */
export async function answerOf(url: URL, request: RequestInit, isOptional: boolean): Promise<Response | null>;
export async function answerOf(url: URL, request: RequestInit, isOptional = false): Promise<Response | null> {
  const answer = await fetch(url, request).catch((error: Error) => {
    throw new WeightsError('io-failed', `${url}: expected the file, found ${error.message}`, { cause: error });
  });
  if (isOptional && answer.status === 404) return null;
  if (!answer.ok) throw new WeightsError('io-failed', `${url}: expected the file, found status ${answer.status}`);
  return answer;
}

/** The first bytes of a body, or all of it. The rest is not fetched. */
export async function bytesOf({ body }: Response, most = Number.POSITIVE_INFINITY): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = body?.getReader(); // WebKit cannot iterate over a body
  while (reader && length < most) {
    const { value, done } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
  }
  await reader?.cancel();
  return new Uint8Array(await new Blob(parts as BlobPart[]).slice(0, most).arrayBuffer());
}
