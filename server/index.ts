import type { Tandem } from '../api';
import type { Answered } from './app';
import type { ExploreOptions, Explorer } from './explorer';
import type { ServeOptions } from './options';
import type { RunningServer } from './start';

export type { Answered } from './app';
export type { ExploreOptions, Explorer } from './explorer';
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

/**
 * Serves the explorer's page and the models that it shows, to this machine alone. Models run in the page.
 *
 * @throws TandemError `not-found` without a page; `io-failed` when the port cannot be listened on
 */
export async function startExplorer(options: ExploreOptions): Promise<Explorer> {
  const server = await import('./explore');
  return server.startExplorer(options);
}
