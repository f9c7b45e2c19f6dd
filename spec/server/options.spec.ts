import { SERVE_OPTIONS, type ServeOptions } from '../../server';
import { shortName } from '../../server/models';
import { SERVE_DEFAULTS } from '../../server/options';
import { tableServer } from './server';

describe('the options of a server', () => {
  test.each<[keyof ServeOptions, unknown[], unknown[]]>([
    ['host', ['0.0.0.0', '::1'], ['', 1]],
    ['port', [0, 8080, 65535], [-1, 65536, 1.5, '80']],
    ['name', ['a'], ['', 1]],
    ['apiKey', ['a'], ['', 1]],
    ['cors', [[], ['*'], ['https://a.example', 'https://b.example']], ['*', [''], [1]]],
    ['gamma', [0, 5, 'auto'], [-1, 1.5, 'none']],
    ['concurrency', [1, 8], [0, -1, 1.5]],
    ['queue', [0, 64, 1 << 20], [-1, (1 << 20) + 1, 0.5]],
    ['limitBody', [1, 1 << 30], [0, (1 << 30) + 1, 1.5]],
    ['limitSource', [1, 1 << 20], [0, 1.5]],
    ['limitTokens', [1, 1 << 20], [0, 1.5]],
    ['grace', [0, 0.5, 86400], [-1, 86400.5, '1']],
  ])('%s takes %j and not %j', (name, taken, refused) => {
    for (const value of taken) expect([value, SERVE_OPTIONS[name].holds(value)]).toEqual([value, true]);
    for (const value of refused) expect([value, SERVE_OPTIONS[name].holds(value)]).toEqual([value, false]);
  });

  test('have flags of their own names, of which one may be given again', () => {
    for (const [name, { flag, parse }] of Object.entries(SERVE_OPTIONS)) {
      const kebab = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      expect([name, /--([a-z-]+) <[^>]+>$/.exec(flag ?? '')?.[1]]).toEqual([name, kebab]);
      if (name === 'cors') expect(parse).toBeUndefined();
    }
    expect(SERVE_OPTIONS.port.flag).toMatch(/^-p, /);
  });

  test('have defaults that they take', () => {
    for (const [name, value] of Object.entries(SERVE_DEFAULTS)) {
      expect([name, SERVE_OPTIONS[name as keyof ServeOptions].holds(value)]).toEqual([name, true]);
    }
  });
});

describe('a server that has started', () => {
  test('says where it listens, what it is called and how long it waits', async () => {
    const toy = await tableServer({ grace: 7 });
    const { port } = toy.server;
    expect(toy.server).toMatchObject({ address: `http://127.0.0.1:${port}`, isLocal: true, name: 'toy', grace: 7 });
    expect(port).toBeGreaterThan(0);
    await toy.close();
    const unnamed = await tableServer({ name: undefined, host: 'localhost', cors: undefined, gamma: undefined });
    expect(unnamed.server).toMatchObject({ name: 'table', isLocal: true, grace: 30 });
    await unnamed.close();
  });

  test.each([
    ['/models/mine', 'mine'],
    ['google/t5', 'google/t5'],
    ['./here', './here'],
  ])('calls a model %s %s: nothing of the server’s disk', (name, short) => expect(shortName(name)).toBe(short));

  test('lists its model, as what and with which limits it runs', async () => {
    const toy = await tableServer({ limitSource: 9, limitTokens: 50 });
    const { target, backend, drafter } = toy.tandem;
    const model = {
      ...{ id: 'toy', object: 'model', created: expect.any(Number), owned_by: 'tandem' },
      tandem: {
        ...{ family: target.family, parameters: target.parameters, dtype: target.dtype, draft: drafter },
        ...{ backend: backend.name, level: backend.level, threads: backend.threads, wide: backend.wide?.on ?? false },
        ...{ limit_source: 9, limit_tokens: 50 },
      },
    };
    const get = (path: string) => toy.send(path).then((response) => response.json());
    expect(await get('/v1/models/toy')).toEqual(model);
    expect(await get('/v1/models')).toEqual({ object: 'list', data: [model] });
    expect(Number.isInteger((await get('/v1/models/toy')).created)).toBe(true);
    await toy.close();
  });
});
