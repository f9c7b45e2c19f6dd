import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ASYNC_DISPOSE, cacheFolder, fileKind, INPUT_ERRORS, TandemError, Turns } from '../../common';

/** Runs a body as if on another system. */
function on<T>(platform: NodeJS.Platform, body: () => T): T {
  const own = Object.getOwnPropertyDescriptor(process, 'platform') as PropertyDescriptor;
  Object.defineProperty(process, 'platform', { ...own, value: platform });
  try {
    return body();
  } finally {
    Object.defineProperty(process, 'platform', own);
  }
}

describe('the cache directory of the user', () => {
  const folders = { XDG_CACHE_HOME: '/x', LOCALAPPDATA: '/l' };
  const { LOCALAPPDATA } = folders;
  const home = homedir();

  it.each<[NodeJS.Platform, Record<string, string>, string]>([
    ['linux', folders, join('/x', 'tandem')],
    ['win32', folders, join('/x', 'tandem')],
    ['darwin', folders, join('/x', 'tandem')],
    ['win32', { LOCALAPPDATA }, join('/l', 'tandem', 'cache')],
    ['win32', {}, join(home, '.cache', 'tandem')],
    ['darwin', { LOCALAPPDATA }, join(home, 'Library', 'Caches', 'tandem')],
    ['linux', { LOCALAPPDATA }, join(home, '.cache', 'tandem')],
    ['linux', { XDG_CACHE_HOME: '' }, join(home, '.cache', 'tandem')],
  ])('on %s with %j is %s', (platform, environment, folder) => {
    expect(on(platform, () => cacheFolder(environment))).toBe(folder);
  });

  it('follows the environment of the process', () => {
    const own = process.env.XDG_CACHE_HOME;
    process.env.XDG_CACHE_HOME = '/elsewhere';
    try {
      expect(cacheFolder()).toBe(join('/elsewhere', 'tandem'));
    } finally {
      if (own === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = own;
    }
  });
});

describe('what is at a place', () => {
  it('is told of places that are there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-kind-'));
    expect([fileKind(statSync(__filename)), fileKind(statSync(folder))]).toEqual(['a file', 'a directory']);
    if (process.platform !== 'win32') {
      expect(fileKind(statSync('/dev/null'))).toBe('a device');
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve));
      expect(fileKind(statSync(join(folder, 's')))).toBe('a socket');
      await new Promise((resolve) => server.close(resolve));
    }
    rmSync(folder, { recursive: true });
  });

  it('is one thing', () => {
    const names = ['isFile', 'isDirectory', 'isFIFO', 'isSocket'] as const;
    const place = (only?: string) => Object.fromEntries(names.map((name) => [name, () => name === only])) as never;
    expect([...names, undefined].map((name) => fileKind(place(name)))).toEqual([
      'a file',
      'a directory',
      'a named pipe',
      'a socket',
      'a device',
    ]);
  });
});

describe('turns of the event loop', () => {
  it('are given when the last one was 16 ms ago, and not before', async () => {
    let now = 1000;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now);
    try {
      const turns = new Turns();
      const gave = async () => {
        let turned = false;
        setImmediate(() => {
          turned = true;
        });
        await turns.give();
        const result = turned;
        await new Promise((resolve) => setImmediate(resolve));
        return result;
      };
      expect(await gave()).toBe(false);
      now = 1015;
      expect(await gave()).toBe(false);
      now = 1016;
      expect([await gave(), await gave()]).toEqual([true, false]);
      now = 1031;
      expect(await gave()).toBe(false);
      now = 1032;
      expect(await gave()).toBe(true);
    } finally {
      clock.mockRestore();
    }
  });
});

describe('errors', () => {
  it('have a code, a message, a cause and a name', () => {
    const cause = new Error('why');
    const error = new TandemError('offline', 'no network', { cause });
    expect(error).toMatchObject({ name: 'TandemError', code: 'offline', message: 'no network', cause });
    expect(String(error)).toBe('TandemError: no network');
  });

  it('of an input are none of the machine, of the network or of the caller who gave up', () => {
    const others = ['aborted', 'disposed', 'out-of-memory', 'io-failed', 'hub-failed', 'offline', 'device-lost'];
    expect(INPUT_ERRORS.filter((code) => others.includes(code))).toEqual([]);
    expect(new Set(INPUT_ERRORS).size).toBe(INPUT_ERRORS.length);
    for (const code of INPUT_ERRORS) expect(code).toMatch(/^[a-z]+(-[a-z]+)+$/);
    expect(INPUT_ERRORS).toEqual(expect.arrayContaining(['source-invalid', 'option-invalid', 'no-token-left']));
  });

  it('can be given back with `await using` in every runtime', () => {
    expect(ASYNC_DISPOSE).toBe(Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose'));
    jest.isolateModules(() => {
      const own = Object.getOwnPropertyDescriptor(Symbol, 'asyncDispose');
      if (own && !own.configurable) return; // the runtime has it and keeps it
      if (own) delete (Symbol as { asyncDispose?: symbol }).asyncDispose;
      expect(require('../../common/dispose').ASYNC_DISPOSE).toBe(Symbol.for('Symbol.asyncDispose'));
      if (own) Object.defineProperty(Symbol, 'asyncDispose', own);
    });
  });
});
