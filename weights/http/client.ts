import { parseShallowJson, quoted } from '../../common';
import { WeightsError } from '../errors';
import { type Answer, answerOf } from './answer';
import { asFailure, refusal, TransientFailure, UnreachableError } from './failures';
import { type Pause, pauseByClock, type RetryNotice, retryAfterMs, withRetries } from './retry';
import { SilenceWatch } from './silence';
import type { Transport } from './transport';

/** What a client may ask, and how patiently. */
export interface ClientOptions {
  readonly transport: Transport;
  /** Headers that only one origin (scheme, host and port) may see, such as an access token. */
  readonly secret?: { readonly origin: string; readonly headers: Readonly<Record<string, string>> };
  /** Longest silence of a connection, in milliseconds. */
  readonly timeoutMs: number;
  /** Tries that may fail in a row without progress, the first one included. Default: 5. */
  readonly tries?: number;
  readonly signal?: AbortSignal;
  readonly onRetry?: (notice: RetryNotice) => void;
  /** Default: by the clock. */
  readonly pause?: Pause;
}

/** One request of a client. */
export interface ClientRequest {
  /** What is asked for, in messages. */
  readonly what: string;
  readonly url: string;
  readonly method?: 'GET' | 'HEAD';
  /** Headers that every server on the way may see. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Says whether a redirect is itself the answer that is wanted, and need not be followed. Default: none is. */
  readonly endsAt?: (headers: Headers, target: URL, from: URL) => boolean;
}

/** Requests with one rule for secrets, redirects, retries, silence and cancelling. */
export interface Client {
  readonly signal: AbortSignal | undefined;
  /**
   * One try of one request. Redirects are followed. From the first redirect to another origin on, the secret headers are
   * left out, even where a later one leads back.
   *
   * @throws TransientFailure when no answer came, or one that says to come again; WeightsError `aborted`, `hub-failed`
   */
  open(request: ClientRequest): Promise<Answer>;
  /**
   * Runs an attempt until it succeeds.
   *
   * @param progressed says after a failure whether the attempt still brought the work forward
   * @throws UnreachableError when the tries are used up
   */
  retry<Value>(what: string, attempt: () => Promise<Value>, progressed?: () => Promise<boolean>): Promise<Value>;
  /** A JSON document, with retries. */
  json(request: ClientRequest): Promise<JsonAnswer>;
}

export interface JsonAnswer {
  readonly value: unknown;
  readonly url: string;
  readonly headers: Headers;
}

const TRIES = 5;
const MOST_REDIRECTS = 10;
/** Longest JSON document that is read, in bytes after decompression. A listing of 1,000 files has 300 kB. */
const LONGEST_JSON = 16 << 20;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export function createClient(options: ClientOptions): Client {
  const { signal, tries = TRIES, pause = pauseByClock, onRetry } = options;
  const open = (request: ClientRequest) => openRequest(request, options);
  const retry: Client['retry'] = async (what, attempt, progressed) => {
    try {
      return await withRetries(what, { tries, pause, onRetry, signal }, attempt, progressed);
    } catch (error) {
      if (!(error instanceof TransientFailure)) throw error;
      throw new UnreachableError('hub-failed', `${what}: expected an answer, found ${error.message}`, { cause: error });
    }
  };
  const json: Client['json'] = (request) =>
    retry(request.what, async () => {
      const answer = await open(request);
      try {
        const { status, url, headers } = answer;
        if (status !== 200) throw refusal(request.what, status, headers);
        return { value: parsed(request.what, await answer.bytes(LONGEST_JSON)), url, headers };
      } finally {
        answer.dispose();
      }
    });
  return { signal, open, retry, json };
}

function parsed(what: string, bytes: Uint8Array): unknown {
  const text = new TextDecoder().decode(bytes);
  try {
    return parseShallowJson(text);
  } catch (error) {
    const found = `${quoted(text)} (${quoted((error as Error).message)})`;
    // A login page or a notice in place of the hub: another try would find the same.
    throw new UnreachableError('hub-failed', `${what}: expected JSON from the hub, found ${found}`, { cause: error });
  }
}

async function openRequest(request: ClientRequest, { transport, secret, ...options }: ClientOptions): Promise<Answer> {
  const { what, method = 'GET' } = request;
  const { signal } = options;
  const watch = new SilenceWatch(options.timeoutMs, signal);
  try {
    let url = new URL(request.url);
    let atHome = true;
    for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
      atHome &&= url.origin === secret?.origin;
      const headers = { ...request.headers, ...(atHome ? secret?.headers : {}) };
      const response = await watch.wait(transport(url.href, { method, headers, signal: watch.signal }));
      const target = redirectTarget(what, response, url);
      if (target && !request.endsAt?.(response.headers, target, url)) {
        await response.body?.cancel();
        url = target;
        continue;
      }
      throwIfBusy(response);
      return answerOf(what, response, response.url || url.href, { watch, signal });
    }
    throw new WeightsError('hub-failed', `${what}: expected an answer, found more than ${MOST_REDIRECTS} redirects`);
  } catch (error) {
    watch.end();
    throw asFailure(what, error, signal);
  }
}

/** Where an answer sends its reader, or null when it is no redirect. */
function redirectTarget(what: string, { status, headers }: Response, base: URL): URL | null {
  const location = REDIRECTS.has(status) ? headers.get('location') : null;
  if (location === null) return null;
  const target = URL.canParse(location, base) ? new URL(location, base) : null;
  if (target && /^https?:$/.test(target.protocol) && !target.username && !target.password) return target;
  throw new WeightsError('hub-failed', `${what}: expected a redirect to an HTTP address, found ${quoted(location)}`);
}

/** Statuses that ask to come again: request timeout, too many requests, and every failure of the server itself. */
function throwIfBusy({ status, headers }: Response): void {
  if (status !== 408 && status !== 429 && status < 500) return;
  throw new TransientFailure(`status ${status}`, retryAfterMs(headers, Date.now()));
}
