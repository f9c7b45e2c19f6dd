import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readKept, writeKept } from '../../api/costs/kept';
import { costFolder, forgetCosts, listCosts, openCostStore } from '../../api/costs/store.node';
import type { KeptCosts } from '../../decoding';

const KEY = { target: 't5 f32', drafter: 'copy', threads: 2, copy: null, wide: true };
const COSTS: KeptCosts = {
  greedy: {
    target: [
      [1, 1],
      [2, 1.25],
      [5, 2],
    ],
    draft: [[1, 0.2]],
    further: [[1, 0.1]],
    opening: 1.5,
    alpha: 0.75,
  },
};

describe('files of costs', () => {
  let home = '';
  let told: string[] = [];
  const tell = (message: string) => told.push(message);
  const open = (key: object = KEY) => openCostStore(key as never, tell, { XDG_CACHE_HOME: home });
  const folder = () => costFolder({ XDG_CACHE_HOME: home }) as string;
  const files = () => readdirSync(folder());
  const file = () => join(folder(), files()[0]);

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'costs-'));
    told = [];
    await (await open()).save(COSTS);
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it('are taken by the key that kept them, and by no other', async () => {
    expect((await open()).kept).toEqual(COSTS);
    for (const other of [{ threads: 1 }, { target: 't5 q8' }, { wide: false }]) {
      expect((await open({ ...KEY, ...other })).kept).toEqual({});
    }
    expect(told).toEqual([]);
  });

  const way = COSTS.greedy as NonNullable<typeof COSTS.greedy>;
  const broken = (changes: object) => writeKept(KEY, { greedy: { ...way, ...changes } });
  test.each([
    ['no JSON', '{"format":"tandem-costs"', /expected JSON/],
    ['nothing', '', /expected JSON, found nothing/],
    ['a list', '[]', /expected tandem-costs, version 2/],
    [
      'another version',
      writeKept(KEY, COSTS).replace('"version":2', '"version":3'),
      /expected tandem-costs, version 2/,
    ],
    [
      'another key',
      writeKept({ ...KEY, threads: 8 }, COSTS),
      /expected the key that its name is made of, found another/,
    ],
    ['no key', '{"format":"tandem-costs","version":2}', /expected a key/],
    ['a cost below 0', broken({ draft: [[1, -1]] }), /costs of greedy decoding/],
    [
      'an older version',
      JSON.stringify({ format: 'tandem-costs', version: 1, key: {} }),
      /expected tandem-costs, version 2/,
    ],
    ['a cost that is no number', broken({ opening: 'soon' }), /costs of greedy decoding/],
    [
      'rows that fall',
      broken({
        target: [
          [5, 1],
          [2, 1],
        ],
      }),
      /costs of greedy decoding/,
    ],
    ['no target', broken({ target: [] }), /costs of greedy decoding/],
    ['α above 1', broken({ alpha: 1.5 }), /costs of greedy decoding/],
    ['very much', ' '.repeat(2 ** 17), /at most 65536 bytes, found 131072/],
  ])('that are broken are told by name and not taken: %s', async (_what, text, message) => {
    writeFileSync(file(), text);
    const store = await open();
    expect(store.kept).toEqual({});
    expect(told).toEqual([expect.stringMatching(message)]);
    expect(told[0]).toContain(file());
    await store.save(COSTS); // what is learnt takes its place
    expect((await open()).kept).toEqual(COSTS);
  });

  it('a directory in the place of a file is told, and what is learnt is not kept, which is told once', async () => {
    const name = file();
    rmSync(name);
    mkdirSync(name);
    const store = await open();
    expect(store.kept).toEqual({});
    await store.save(COSTS);
    await store.save(COSTS);
    expect(told).toEqual([expect.stringMatching(/expected a file/), expect.stringMatching(/not kept/)]);
    expect(files()).toHaveLength(1); // nothing is left beside it
  });

  it('a place that cannot be written is told once', async () => {
    rmSync(folder(), { recursive: true });
    writeFileSync(folder(), ''); // where the directory should be: holds for root too
    const store = await open();
    await store.save(COSTS);
    await store.save(COSTS);
    expect(told.filter((one) => /not kept/.test(one))).toHaveLength(1);
  });

  it('two that write at once leave one whole file', async () => {
    const stores = await Promise.all([open(), open(), open()]);
    const all = stores.map((store, i) => ({ store, costs: { greedy: { ...way, alpha: i / 4 } } }));
    await Promise.all(all.flatMap(({ store, costs }) => Array.from({ length: 20 }, () => store.save(costs))));
    expect(files()).toHaveLength(1);
    expect(all.map(({ costs }) => costs)).toContainEqual(readKept(readFileSync(file(), 'utf8')).costs);
    expect(told).toEqual([]);
  });

  it('are listed, the broken ones with what is wrong, and are all forgotten', async () => {
    await (await open({ ...KEY, threads: 1 })).save(COSTS);
    writeFileSync(join(folder(), 'zz.json'), '{}');
    const found = await listCosts(folder());
    expect(found).toHaveLength(3);
    expect(found[2]).toEqual({ file: join(folder(), 'zz.json'), wrong: expect.stringMatching(/tandem-costs/) });
    expect(found.flatMap((one) => ('costs' in one ? [one.costs] : []))).toEqual([COSTS, COSTS]);
    expect(await forgetCosts(folder())).toBe(3);
    expect(await listCosts(folder())).toEqual([]);
    rmSync(folder(), { recursive: true });
    expect(await listCosts(folder())).toEqual([]);
  });

  it('are neither taken nor kept with TANDEM_COSTS=off', async () => {
    const store = await openCostStore(KEY, tell, { XDG_CACHE_HOME: home, TANDEM_COSTS: 'off' });
    expect(store.kept).toEqual({});
    await store.save({});
    expect((await open()).kept).toEqual(COSTS);
  });
});
