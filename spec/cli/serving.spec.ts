import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LoadOptions, Tandem } from '../../api';
import { startServer } from '../../server';
import { gate } from '../server/server';
import { type TableTandemOptions, tableTandem } from '../support/table-tandem';
import { BUNDLED, expectOneLine } from './command';
import { inside, type World } from './inside';

jest.mock('../../server', () => {
  const actual = jest.requireActual('../../server');
  return { ...actual, startServer: jest.fn(actual.startServer) };
});

const folder = mkdtempSync(join(tmpdir(), 'tandem-serving-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let loaded: [unknown, LoadOptions | undefined][] = [];
let disposed = 0;
beforeEach(() => {
  loaded = [];
  disposed = 0;
});
afterEach(() => jest.restoreAllMocks());

/** Makes every load give a toy pair. */
function toyModels(around?: TableTandemOptions['around']): void {
  jest.spyOn(Tandem, 'load').mockImplementation(async (model, options) => {
    loaded.push([model, options]);
    const { tandem } = tableTandem({ seed: 5, around });
    const dispose = tandem.dispose.bind(tandem);
    return Object.defineProperty(tandem, 'dispose', {
      value: () => {
        disposed++;
        return dispose();
      },
    });
  });
}

/** `tandem serve` with toy models; `use` is given the address, and then comes the signal. */
async function served(
  args: readonly string[],
  use: (address: string) => Promise<unknown> = async () => undefined,
  world: World = {},
) {
  const controller = new AbortController();
  const patience: number[] = [];
  const actual = jest.requireActual('../../server').startServer as typeof startServer;
  let address = '';
  const start = jest.mocked(startServer).mockImplementation(async (...call) => {
    const server = await actual(...call);
    address = server.address;
    void use(address).finally(() => controller.abort());
    return server;
  });
  start.mockClear();
  const run = await inside(['serve', '--port', '0', ...args], {
    ...{ signal: controller.signal, patience: (time: number) => void patience.push(time), ...world },
  });
  return { ...run, address, patience, options: start.mock.calls[0]?.[1] };
}

const post = (address: string) =>
  fetch(`${address}/v1/completions`, {
    ...{ method: 'POST', headers: { 'Content-Type': 'application/json' } },
    body: JSON.stringify({ prompt: 'abc', max_tokens: 2 }),
  }).then((response) => response.text());

const REQUEST = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (GET|POST) (\S+) (\d{3}) (\d+) ms$/;
const STOPPING = 'tandem: stopping; waiting for the requests that run';
const NO_KEY = /^tandem: there is no API key/m;

describe('tandem serve, in this process', () => {
  it('loads in a worker for as many sequences as it serves at once, and frees what it loaded', async () => {
    toyModels();
    for (const [args, concurrency, grace] of [
      [[], 8, 30],
      [['--concurrency', '3', '--grace', '0.5'], 3, 0.5],
    ] as const) {
      const run = await served(args);
      expect(run).toMatchObject({ status: 0, stdout: `tandem: serving table on ${run.address}\n` });
      expect(run.patience).toEqual([grace * 1000 + 5000]);
      const [model, options] = loaded[loaded.length - 1];
      expect([model, options?.worker, options?.continuousBatching]).toEqual([undefined, true, concurrency]);
    }
    expect([loaded.length, disposed]).toEqual([2, 2]);
  });

  it('prints a line for each request, and one when it stops; none of them where quiet is asked for', async () => {
    const ask = async (address: string) => {
      await fetch(`${address}/health`);
      await post(address);
      await fetch(`${address}/nowhere`);
    };
    toyModels();
    const lines = (await served([], ask)).stderr.trimEnd().split('\n');
    const requests = lines.slice(0, 3).map((line) => REQUEST.exec(line)?.slice(1, 4));
    expect(requests).toEqual([
      ['GET', '/health', '200'],
      ['POST', '/v1/completions', '200'],
      ['GET', 'other', '404'],
    ]);
    expect(lines.slice(3)).toEqual([STOPPING]);
    expect(await served(['--quiet'], ask)).toMatchObject({ status: 0, stderr: '' });
  });

  it('says what failed inside in one line that is safe for a terminal, and tells its client nothing of it', async () => {
    toyModels((model) => ({ ...model, forward: () => Promise.reject(new Error('broken\u001b[2J\ninside')) }));
    let answer = '';
    const { stderr } = await served([], async (address) => {
      answer = await post(address);
    });
    const [request, cause, stopping] = stderr.trimEnd().split('\n');
    expect(REQUEST.exec(request)?.[3]).toBe('500');
    expect(cause).toBe('tandem: broken\\x1b[2J inside');
    expect(stopping).toBe(STOPPING);
    expect(answer).not.toContain('broken');
  });

  const open = ['--host', '0.0.0.0'];
  it.each<[string[], { variable?: string; key?: string; warned: boolean }]>([
    [[], { warned: false }],
    [open, { warned: true }],
    [[...open, '--quiet'], { warned: true }],
    [[...open, '--api-key', 'mine'], { key: 'mine', warned: false }],
    [open, { variable: 'theirs', key: 'theirs', warned: false }],
    [['--api-key', 'mine'], { variable: 'theirs', key: 'mine', warned: false }],
  ])('%j asks for its key, and says where other machines need none (%j)', async (args, { variable, key, warned }) => {
    toyModels();
    const status: number[] = [];
    const ask = async (address: string) => {
      const place = address.replace('0.0.0.0', '127.0.0.1');
      for (const given of [undefined, 'other', key]) {
        const headers = new Headers(given === undefined ? {} : { Authorization: `Bearer ${given}` });
        status.push((await fetch(`${place}/v1/models`, { headers })).status);
      }
    };
    const run = await served(args, ask, { variables: { TANDEM_API_KEY: variable } });
    expect([run.status, status]).toEqual([0, key === undefined ? [200, 200, 200] : [401, 401, 200]]);
    expect(NO_KEY.test(run.stderr)).toBe(warned);
    expect(run.options?.apiKey).toBe(key);
    if (key !== undefined) expect(run.stdout + run.stderr).not.toContain(key);
  });

  it('whose requests are cut off says so, and fails', async () => {
    const door = gate();
    toyModels(door.around);
    const run = await served(['--grace', '0'], async (address) => {
      void post(address).catch(() => undefined);
      while (door.calls() === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      setTimeout(door.open, 300);
    });
    expect([run.status, disposed]).toEqual([1, 1]);
    expect(run.stderr).toMatch(
      /^tandem: stopping[^\n]*\n(.*\n)*tandem: serve: requests were cut off, which --grace allows\n$/,
    );
  });

  it('takes options of the server from a settings file as well, and what the command line says wins', async () => {
    toyModels();
    const path = join(folder, 'settings.json');
    writeFileSync(path, JSON.stringify({ model: BUNDLED.target, draft: ['copy'], gamma: 3, dtype: 'q8' }));
    const file = await served(['--settings', path]);
    expect([file.status, file.options?.gamma]).toEqual([0, 3]);
    expect(loaded[0][0]).toBe(BUNDLED.target);
    expect(loaded[0][1]).toMatchObject({ dtype: 'q8', draft: ['copy'] });
    const typed = await served(['--settings', path, '--gamma', '2']);
    expect([typed.status, typed.options?.gamma]).toEqual([0, 2]);
  });

  const model = ['--model', BUNDLED.target];
  it.each<[string[], boolean]>([
    [['--gamma', '2'], true],
    [['--gamma', '2', '--draft', 'none'], false],
    [['--gamma', '0', '--draft', 'none'], true],
    [['--gamma', '2', '--draft', 'copy'], true],
    [[...model, '--gamma', '2'], false],
    [[...model, '--gamma', '0'], true],
    [[...model, '--gamma', 'auto'], false],
    [[...model, '--gamma', '2', '--draft', 'copy'], true],
    [model, true],
  ])('%j: γ needs something that drafts', async (args, allowed) => {
    toyModels();
    const run = await served(args);
    expect([run.status, loaded.length]).toEqual(allowed ? [0, 1] : [2, 0]);
    if (!allowed) expectOneLine(run, /serve: expected a draft beside --gamma, found none/);
  });

  it.each<[string[], string | undefined, number, RegExp]>([
    [[], '', 2, /TANDEM_API_KEY: expected text that is not empty, found none/],
    [['--model', './none'], undefined, 1, /expected a checkpoint directory/],
    [['--draft', './none'], undefined, 1, /expected a checkpoint directory/],
    [[...model, '--draft-dtype', 'q8'], undefined, 2, /--draft/],
  ])('refuses %j with the key %j before anything is loaded', async (args, key, status, message) => {
    toyModels();
    const run = await served(args, undefined, { variables: { TANDEM_API_KEY: key } });
    expect([run.status, run.stdout, loaded.length]).toEqual([status, '', 0]);
    expectOneLine(run, message);
  });
});
