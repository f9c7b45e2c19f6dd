/** What commands ask for when they load a model or open a checkpoint, and what they say meanwhile. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundledPair, type LoadOptions, Tandem } from '../../api';
import type { LoadFlags } from '../../cli/generate/flags';
import { loadTandem } from '../../cli/loading';
import { loadProgress } from '../../cli/progress';
import { TandemError } from '../../common';
import { type FromPretrainedOptions, fromPretrained, openCheckpoint } from '../../weights';
import { inside } from './inside';
import { screen } from './screen';

jest.mock('../../cli/progress', () => {
  const actual = jest.requireActual('../../cli/progress');
  return { ...actual, loadProgress: jest.fn(actual.loadProgress) };
});
jest.mock('../../weights', () => {
  const actual = jest.requireActual('../../weights');
  return { ...actual, fromPretrained: jest.fn() };
});

const folder = mkdtempSync(join(tmpdir(), 'tandem-loading-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => jest.restoreAllMocks());
const { signal } = new AbortController();
const LOADED = {
  target: { name: 'mine' },
  draft: null,
  drafter: null,
  prefix: '',
  backend: { name: 'cpu', threads: 1 },
};

/** Loads with some flags. @returns what was asked for, what standard error was given, and whether the bar went away */
async function loaded(flags: LoadFlags, more?: LoadOptions, during: (options: LoadOptions) => void = () => undefined) {
  const calls: [unknown, LoadOptions][] = [];
  const bars: unknown[] = [];
  const update = jest.fn();
  jest.mocked(loadProgress).mockImplementation((quiet) => {
    bars.push(quiet);
    return { update, stop: () => void bars.push('gone') };
  });
  jest.spyOn(Tandem, 'load').mockImplementation(async (model, options = {}) => {
    calls.push([model, options]);
    during(options);
    return LOADED as unknown as Tandem;
  });
  const shown = screen(false);
  try {
    const error = await loadTandem(flags, signal, more).then(
      () => null,
      (found) => found,
    );
    const [[model, options]] = calls;
    return { model, options, bars, update, error, said: shown.written.join('') };
  } finally {
    shown.restore();
  }
}

describe('loading a model', () => {
  it('computes in 256 bits where it can unless the flags say otherwise; what the command needs wins over the flags', async () => {
    const usual = await loaded({});
    expect([usual.model, usual.options.wide, usual.options.signal]).toEqual([undefined, 'auto', signal]);
    const typed = await loaded({ model: 'a', wide: false, dtype: 'q8', draft: ['copy'] }, { draft: null });
    expect(typed.model).toBe('a');
    expect(typed.options).toMatchObject({ wide: false, dtype: 'q8', draft: null, signal });
    expect((await loaded({ model: 'a', draft: ['copy'] }, { worker: true })).options).toMatchObject({
      ...{ draft: ['copy'], worker: true },
    });
  });

  it('has a bar that goes away whatever happens, and prints notices; neither where quiet is asked for', async () => {
    const notice = (options: LoadOptions) => options.onNotice?.({ message: 'again\nin 1 s' } as never);
    const usual = await loaded({}, {}, notice);
    expect([usual.bars, usual.said, usual.options.onProgress]).toEqual([
      ...[[undefined, 'gone'], 'tandem: again in 1 s\n', usual.update],
    ]);
    const quiet = await loaded({ quiet: true }, {}, notice);
    expect([quiet.bars, quiet.said]).toEqual([[true, 'gone'], '']);
    const failed = await loaded({}, {}, () => {
      throw new Error('broken');
    });
    expect([failed.bars, failed.error.message]).toEqual([[undefined, 'gone'], 'broken']);
  });

  it('--verbose tells of each model in a line in place of the bar, and what is loaded', async () => {
    const told = await loaded({ verbose: true }, {}, ({ onProgress }) => {
      onProgress?.({ phase: 'load', role: 'draft', model: 'a', item: 'x', loaded: 0, total: 1e6 });
    });
    expect(told.bars).toEqual([]);
    expect(told.said).toMatch(/^tandem: reading the weights of the draft a \(1\.0 MB\)\n(.+\n)+tandem: no draft\n/);
    expect(told.said).toMatch(/\ntandem: loaded in 0\.\d\d s\n$/);
  });

  it('that the hub does not have says which name is no directory here, the target’s or the draft’s', async () => {
    for (const [flags, name] of [
      [{ model: 'a/none' }, 'a/none'],
      [{ model: 'a/b', draft: ['copy', 'c/none'] }, 'c/none'],
      [{ draft: ['c/none'] }, 'c/none'],
    ] as const) {
      const { error } = await loaded(flags, {}, () => {
        throw new TandemError('hub-failed', `${name}: HTTP 404`);
      });
      expect(error).toMatchObject({
        ...{ code: 'hub-failed', message: `${name}: HTTP 404; and there is no directory '${name}' here` },
      });
    }
  });
});

describe('opening a checkpoint', () => {
  writeFileSync(join(folder, 'TEXT'), 'Amen.\n');
  const PLACES = ['OUT', 'TEXT', 'TABLE']; // words that stand for places in the folder
  const QUANTIZE = ['quantize', 'a/b', '--dtype', 'q8', '--force', '--out', 'OUT'];
  const NGRAM = ['ngram', 'build', 'TEXT', '--out', 'TABLE', '--model', 'a/b'];

  it.each<[string[], FromPretrainedOptions & { quiet?: boolean }]>([
    [['inspect', 'a/b'], {}],
    [['inspect', 'a/b', '--offline'], { offline: true }],
    [['inspect', 'a/b', '--revision', 'v1', '--json'], { revision: 'v1' }],
    [QUANTIZE, {}],
    [[...QUANTIZE, '--offline', '--revision', 'v1'], { offline: true, revision: 'v1' }],
    [[...QUANTIZE, '--quiet'], { quiet: true }],
    [NGRAM, {}],
    [[...NGRAM, '--offline'], { offline: true }],
  ])(
    '%j asks for what is typed, fetches no more than it reads, and closes it',
    async (args, { quiet, ...expected }) => {
      const asked = jest.mocked(fromPretrained);
      for (const fails of args[0] === 'quantize' ? [false] : [false, true]) {
        let open = 0;
        asked.mockReset().mockImplementation(async (_name, options) => {
          options?.onNotice?.({ message: 'a notice' } as never);
          const checkpoint = await openCheckpoint((await bundledPair()).draft);
          open++;
          const dispose = () => checkpoint.dispose().then(() => void open--);
          const lost = () => Promise.reject(new TandemError('io-failed', 'lost'));
          return Object.assign(Object.create(checkpoint), { dispose, ...(fails && { tokenizer: lost }) });
        });
        const run = await inside(args.map((word) => (PLACES.includes(word) ? join(folder, word) : word)));
        expect([run.status, open]).toEqual([fails ? 1 : 0, 0]);
        const [[name, { onNotice: _heard, ...options } = {}], ...more] = asked.mock.calls;
        expect([name, more]).toEqual(['a/b', []]);
        const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
        expect(given).toEqual({ lazy: true, signal: expect.any(AbortSignal), ...expected });
        if (!fails) expect(run.stderr).toBe(quiet ? '' : 'tandem: a notice\n');
      }
    },
  );
});
