import OpenAI from 'openai';
import { type Answered, type RunningServer, type ServeOptions, startServer } from '../../server';
import { type TableTandem, type TableTandemOptions, tableTandem } from '../support/table-tandem';

/** A server on table models, and the real client of it. */
export interface TableServer extends TableTandem {
  readonly server: RunningServer;
  readonly client: OpenAI;
  readonly answered: Answered[];
  /** Sends a request as it is. */
  send(path: string, init?: RequestInit): Promise<Response>;
  /** Sends a JSON body. */
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
  /** Waits until so many sequences have a place. */
  used(count: number): Promise<void>;
  close(): Promise<void>;
}

export async function tableServer(
  options: ServeOptions = {},
  model: Partial<TableTandemOptions> = {},
): Promise<TableServer> {
  const table = tableTandem({ seed: 5, continuousBatching: options.concurrency ?? 8, ...model });
  const answered: Answered[] = [];
  const server = await startServer(table.tandem, { port: 0, name: 'toy', ...options }, (one) => answered.push(one));
  const client = new OpenAI({ baseURL: `${server.address}/v1`, apiKey: options.apiKey ?? 'none', maxRetries: 0 });
  const send: TableServer['send'] = (path, init) => fetch(server.address + path, init);
  return {
    ...table,
    ...{ server, client, answered, send },
    post: (path, body, init = {}) =>
      send(path, {
        ...{ method: 'POST', body: JSON.stringify(body) },
        ...init,
        headers: { 'Content-Type': 'application/json', ...init.headers },
      }),
    used: async (count) => {
      const text = () => send('/metrics').then((response) => response.text());
      while (!(await text()).includes(`\ntandem_places_used ${count}\n`)) await turn();
    },
    close: async () => {
      await server.stop();
      await table.tandem.dispose();
    },
  };
}

/** A target whose calls wait until `open` is called: what is asked for stays under way. */
export function gate(): { readonly around: TableTandemOptions['around']; open(): void; readonly calls: () => number } {
  let release: () => void = () => undefined;
  let calls = 0;
  const opened = new Promise<void>((resolve) => {
    release = resolve;
  });
  return {
    around: (model, role) =>
      role === 'draft'
        ? model
        : {
            ...model,
            forward: async (rows, options) => {
              calls++;
              await opened;
              return model.forward(rows, options);
            },
          },
    open: () => release(),
    calls: () => calls,
  };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 2));

/** Waits until something holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turn();
}
