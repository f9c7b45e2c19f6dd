import type { Tandem } from '../api';
import type { Answered } from './app';
import type { ServeOptions } from './options';
import type { RunningServer } from './start';

export type { Answered } from './app';
export { SERVE_OPTIONS, type ServeOptions } from './options';
export type { RunningServer } from './start';

/**
 * Starts an HTTP server with OpenAI's routes over a model. The framework is loaded now, so that other commands do not pay for it.
 *
 * @param tandem best loaded with `worker: true`, which keeps the event loop free, and with `continuousBatching` of the same
 *   number as `concurrency`. The server does not dispose it
 * @param onAnswered hears of every request that was answered
 * @throws TandemError `option-invalid`; `io-failed` when the address cannot be listened on
 */
export async function startServer(
  tandem: Tandem,
  options: ServeOptions = {},
  onAnswered?: (answered: Answered) => void,
): Promise<RunningServer> {
  const server = await import('./start');
  return server.startServer(tandem, options, onAnswered);
}
