import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startExplorer } from '../../server';
import { BUNDLED, expectOneLine } from './command';
import { inside } from './inside';

jest.mock('../../server', () => ({ ...jest.requireActual('../../server'), startExplorer: jest.fn() }));

const folder = mkdtempSync(join(tmpdir(), 'tandem-exploring-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `tandem explore` with a server that only notes what it is asked for; then comes the signal. */
async function explored(...args: string[]) {
  const controller = new AbortController();
  let stops = 0;
  const start = jest.mocked(startExplorer);
  start.mockReset().mockImplementation(async () => {
    setImmediate(() => controller.abort());
    return {
      address: 'http://127.0.0.1:99/',
      port: 99,
      stop: async () => {
        expect(controller.signal.aborted).toBe(true); // it serves until the signal
        stops++;
      },
    };
  });
  const run = await inside(['explore', ...args], { signal: controller.signal });
  return { ...run, stops, asked: start.mock.calls.map(([options]) => options) };
}

/** A directory of some files. */
function directory(name: string, files: Readonly<Record<string, string>>): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
}

describe('tandem explore, in this process', () => {
  it.each([
    [[], {}],
    [['--port', '0'], { port: 0 }],
    [['-m', BUNDLED.target], { target: BUNDLED.target }],
    [
      ['-m', BUNDLED.target, '-d', BUNDLED.draft, '-p', '65535'],
      { target: BUNDLED.target, draft: BUNDLED.draft, port: 65535 },
    ],
  ])(
    '%j serves the page of the package, the models that are asked for, and ends with the signal',
    async (args, expected) => {
      const run = await explored(...args);
      expect(run).toMatchObject({ status: 0, stdout: 'tandem: the explorer is on http://127.0.0.1:99/\n', stderr: '' });
      const [{ page, models, ...options }] = run.asked;
      expect([run.asked.length, run.stops]).toEqual([1, 1]);
      expect({ ...options }).toEqual({ target: undefined, draft: undefined, port: 8081, ...expected });
      expect(existsSync(join(models, 'modernize-target', 'config.json'))).toBe(true);
      expect(page).toBe(join(models, '..', 'dist', 'explorer'));
    },
  );

  const CONFIG = { 'config.json': '{}' };
  it.each<[string, () => string[], number, RegExp]>([
    [
      'a model that is not there',
      () => ['-m', join(folder, 'none')],
      1,
      /--model '.*none': expected a directory, found none/,
    ],
    [
      'a file',
      () => ['-m', join(directory('a', CONFIG), 'config.json')],
      1,
      /--model '.*': expected a directory, found a file/,
    ],
    [
      'a draft that is a file',
      () => ['-m', BUNDLED.target, '-d', __filename],
      1,
      /--draft '.*': expected a directory, found a file/,
    ],
    ['a draft alone', () => ['-d', BUNDLED.draft], 2, /expected --model beside --draft, found none/],
    ['no model', () => ['-m', directory('b', {})], 1, /config\.json/],
    [
      'no safetensors',
      () => ['-m', directory('c', CONFIG)],
      1,
      /expected weights in safetensors, which the page reads, found none/,
    ],
    [
      'names that only look like safetensors',
      () => [
        '-m',
        directory('d', { ...CONFIG, 'x.safetensors.bak': '', 'model.safetensors.index.jsonl': '', safetensors: '' }),
      ],
      1,
      /expected weights in safetensors/,
    ],
    [
      'a broken checkpoint',
      () => ['-m', directory('e', { ...CONFIG, 'model.safetensors': '' })],
      1,
      /config\.json.*expected/,
    ],
    [
      'a broken index',
      () => ['-m', directory('f', { ...CONFIG, 'model.safetensors.index.json': '' })],
      1,
      /config\.json.*expected/,
    ],
  ])('refuses %s, and nothing is served', async (_, args, status, message) => {
    const run = await explored(...args());
    expect([run.status, run.stdout, run.asked]).toEqual([status, '', []]);
    expectOneLine(run, message);
  });
});
