import { setMaxListeners } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Tandem } from '../api';
import { checkOptions, quoted } from '../common';
import { isLoopback } from './access';
import { type Answered, createApp } from './app';
import { closing, listen } from './listening';
import { ServerMetrics } from './metrics';
import { shortName } from './models';
import { SERVE_DEFAULTS, SERVE_OPTIONS, type ServeOptions } from './options';
import { Places } from './places';
import type { ServeSettings, Serving } from './serving';

/** A server that listens. */
export interface RunningServer {
  /** Such as `http://127.0.0.1:8080`. */
  readonly address: string;
  readonly port: number;
  /** What clients call the model. */
  readonly name: string;
  /** Whether this machine alone reaches it. */
  readonly isLocal: boolean;
  /** Seconds that `stop` waits. */
  readonly grace: number;
  /**
   * Takes no more requests, and waits for those that run.
   *
   * @returns whether all of them ended within the time of `grace`; the others are cut off
   */
  stop(): Promise<boolean>;
}

/** @param onAnswered hears of every request */
export async function startServer(
  tandem: Tandem,
  options: ServeOptions = {},
  onAnswered: (answered: Answered) => void = () => undefined,
): Promise<RunningServer> {
  checkOptions(options, SERVE_OPTIONS, 'serve');
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: ServeSettings = { ...SERVE_DEFAULTS, ...given };
  const places = new Places(settings.concurrency, settings.queue);
  const ended = new AbortController();
  setMaxListeners(0, ended.signal); // one for each request that runs
  let isStopping = false;
  const serving: Serving = {
    ...{ tandem, settings, places, ended: ended.signal },
    name: settings.name ?? shortName(tandem.target.name),
    created: Math.floor(Date.now() / 1000),
    metrics: new ServerMetrics(places),
    isStopping: () => isStopping,
  };
  const { fetch } = createApp(serving, onAnswered);
  const server = createAdaptorServer({ fetch, overrideGlobalObjects: false }) as Server;
  const { host, port: asked } = settings;
  await listen(server, { host, port: asked }, `serve: expected to listen on ${quoted(host)}, port ${asked}`);
  const stop = async (): Promise<boolean> => {
    isStopping = true;
    const closed = closing(server);
    const isInTime = await within(settings.grace, places.empty());
    ended.abort();
    await within(1, places.empty()); // who was cut off hears of it
    await closed(isInTime ? 1000 : 100);
    return isInTime;
  };
  const { address, port } = server.address() as AddressInfo;
  const { name } = serving;
  const { grace } = settings;
  const shown = `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
  return { address: shown, port, name, isLocal: isLoopback(host), grace, stop };
}

/** Whether something ends within some seconds. */
async function within(seconds: number, end: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), seconds * 1000);
  });
  const found = await Promise.race([end.then(() => true), late]);
  clearTimeout(timer);
  return found;
}
