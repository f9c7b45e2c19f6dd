import { WeightsError } from '../errors';
import { asFailure, TransientFailure } from './failures';
import type { SilenceWatch } from './silence';

/** An answer whose headers have arrived. Every answer is given back by `dispose`. */
export interface Answer {
  readonly status: number;
  /** Address of the answer, after all redirects. */
  readonly url: string;
  readonly headers: Headers;
  /** The body as it arrives. Throws `TransientFailure` when the connection breaks or falls silent. */
  chunks(): AsyncGenerator<Uint8Array, void, void>;
  /**
   * The whole body. Reads no more than `limit` bytes, after decompression.
   *
   * @throws WeightsError `hub-failed` when the body is longer
   */
  bytes(limit: number): Promise<Uint8Array>;
  dispose(): void;
}

/** The answer of a request that `watch` observes. `what` names it in messages. */
export function answerOf(
  what: string,
  response: Response,
  url: string,
  { watch, signal }: { watch: SilenceWatch; signal: AbortSignal | undefined },
): Answer {
  async function* chunks(): AsyncGenerator<Uint8Array, void, void> {
    if (!response.body) return;
    const reader = response.body.getReader(); // after an early end, `dispose` ends the connection
    for (;;) {
      const { done, value } = await watch.wait(reader.read()).catch((error) => {
        throw asFailure(what, error, signal);
      });
      if (done) return;
      watch.count(value.byteLength);
      yield value;
    }
  }

  async function bytes(limit: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of chunks()) {
      length += chunk.byteLength;
      if (length > limit) throw new WeightsError('hub-failed', `${what}: expected at most ${limit} bytes, found more`);
      parts.push(chunk);
    }
    const whole = new Uint8Array(length);
    let offset = 0;
    for (const part of parts) {
      whole.set(part, offset);
      offset += part.byteLength;
    }
    return whole;
  }

  return { status: response.status, url, headers: response.headers, chunks, bytes, dispose: () => watch.end() };
}

/** A body that ended too early says so as a failure that may pass. */
export function endedEarly(expected: number, found: number): TransientFailure {
  return new TransientFailure(`an answer that ended after ${found} of ${expected} bytes`);
}
