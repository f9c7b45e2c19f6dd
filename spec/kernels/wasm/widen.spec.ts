import childProcess from 'node:child_process';
import { bytesOf } from '../../../kernels/wasm/modules';
import { WIDE_FLAG } from '../../../kernels/wasm/wide/flag.node';
import { probe, probeInput } from '../../../kernels/wasm/wide/verdict.node';
import type { widen } from '../../../kernels/wasm/wide/wide.node';

/** A process in which nothing has asked for wide arithmetic yet: what its runtime misses, and what the probe says of it. */
function freshProcess({ missing = null, isWide = false, found = null }: Facts) {
  const turnWideOn = jest.fn();
  const verdict = jest.fn(async () => found);
  jest.resetModules();
  jest.doMock('../../../kernels/wasm/wide/flag.node', () => ({
    ...{ WIDE_FLAG, isWide: () => isWide, wideMissing: () => missing, turnWideOn },
  }));
  jest.doMock('../../../kernels/wasm/wide/verdict.node', () => ({ verdict }));
  const module: { widen: typeof widen } = require('../../../kernels/wasm/wide/wide.node');
  return { widen: module.widen, turnWideOn, verdict };
}

interface Facts {
  readonly missing?: string | null;
  readonly isWide?: boolean;
  readonly found?: string | null;
}

const before = process.env.TANDEM_WIDE;
beforeEach(() => delete process.env.TANDEM_WIDE);
afterEach(() => {
  if (before === undefined) delete process.env.TANDEM_WIDE;
  else process.env.TANDEM_WIDE = before;
  jest.dontMock('../../../kernels/wasm/wide/flag.node').dontMock('../../../kernels/wasm/wide/verdict.node');
});

describe('wide arithmetic', () => {
  test('is off where the runtime has none, which is the reason, and no probe runs', async () => {
    const { widen, turnWideOn, verdict } = freshProcess({ missing: 'it needs Node' });
    expect(await widen('auto')).toEqual({ on: false, reason: 'it needs Node' });
    await expect(widen(true)).rejects.toMatchObject({
      code: 'unavailable',
      message: 'wide: expected a runtime that computes in 256 bits, found none: it needs Node',
    });
    expect([turnWideOn, verdict].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
  });

  test('is off where the probe finds other bits, which is the reason; it runs once', async () => {
    const { widen, turnWideOn, verdict } = freshProcess({ found: 'relaxed-simd: softmax differs' });
    for (let time = 0; time < 2; time++) {
      expect(await widen('auto')).toEqual({ on: false, reason: 'relaxed-simd: softmax differs' });
    }
    await expect(widen(true)).rejects.toThrow(/found none: relaxed-simd: softmax differs$/);
    expect([turnWideOn, verdict].map(({ mock }) => mock.calls.length)).toEqual([0, 1]);
  });

  test('is turned on once where the probe finds the same bits, and stays on', async () => {
    const { widen, turnWideOn, verdict } = freshProcess({});
    const on = { on: true, reason: 'its probe gave the bits of 128-bit arithmetic' };
    expect(await widen(false)).toEqual({ on: false, reason: 'it was not asked for' });
    expect(turnWideOn).not.toHaveBeenCalled();
    for (const wanted of ['auto', true, false] as const) expect(await widen(wanted)).toEqual(on);
    expect([turnWideOn, verdict].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
  });

  test('is on where the flag of Node itself says so, whatever is asked for', async () => {
    const { widen, turnWideOn, verdict } = freshProcess({ isWide: true, missing: 'it needs Node' });
    for (const wanted of ['auto', true, false] as const) {
      expect(await widen(wanted)).toEqual({ on: true, reason: `V8 runs with --${WIDE_FLAG}` });
    }
    expect([turnWideOn, verdict].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
  });

  test.each(['0', 'false', 'NO', 'off'])('is off with TANDEM_WIDE=%s', async (value) => {
    const { widen, verdict } = freshProcess({});
    process.env.TANDEM_WIDE = value;
    expect(await widen('auto')).toEqual({ on: false, reason: `the environment has TANDEM_WIDE=${value}` });
    expect(verdict).not.toHaveBeenCalled();
  });

  test.each(['', '1', 'on', '00', 'official'])('is not forbidden by TANDEM_WIDE=%s', async (value) => {
    const { widen } = freshProcess({});
    process.env.TANDEM_WIDE = value;
    expect(await widen('auto')).toMatchObject({ on: true });
  });
});

describe('the process of the probe', () => {
  /** What it was started with, and what the probe makes of the way in which it ends. */
  async function ended(error: object | null, stdout: string) {
    const stdin = { on: jest.fn(), end: jest.fn() };
    const started = jest.spyOn(childProcess, 'execFile').mockImplementation((...all: unknown[]) => {
      (all.at(-1) as (error: object | null, stdout: string) => void)(error, stdout);
      return { stdin } as unknown as childProcess.ChildProcess;
    });
    const found = await probe('modules and jobs');
    const [[program, args, options]] = started.mock.calls as unknown as [
      string,
      string[],
      { env: NodeJS.ProcessEnv },
    ][];
    started.mockRestore();
    return { found, program, args, options, read: stdin.end.mock.calls };
  }

  test('is this Node, in which the optimising compiler takes over at once, without the options of the environment', async () => {
    const { program, args, options, read } = await ended(null, 'same\n');
    expect(program).toBe(process.execPath);
    expect(args.slice(0, -2)).toEqual(['--wasm-sync-tier-up', '--wasm-tiering-budget=1000']);
    expect(options.env).toEqual({ ...process.env, NODE_OPTIONS: '' });
    expect(read).toEqual([['modules and jobs']]);
  });

  test.each<[string, object | null, string, string, boolean]>([
    ['answers', null, ' same\n', 'same', true],
    ['answers nothing', null, '\n', 'its probe did not run: exit code 0', true],
    ['fails', { code: 7 }, 'same', 'its probe did not run: exit code 7', true],
    ['ends by a fault', { signal: 'SIGSEGV' }, '', 'its probe did not run: it ended by SIGSEGV', true],
    [
      'takes too long',
      { signal: 'SIGTERM', killed: true },
      '',
      'its probe did not run: no answer within 60 seconds',
      false,
    ],
  ])(
    'where it %s, the verdict is what it said or why not, and kept where it would be the same again',
    async (...row) => {
      const [, error, stdout, answer, isFinal] = row;
      expect((await ended(error, stdout)).found).toEqual({ answer, isFinal });
    },
  );

  test('reads two modules of a level: as it runs without wide arithmetic, and as it runs with it', () => {
    const { modules } = JSON.parse(probeInput());
    expect(modules.length).toBeGreaterThan(0);
    for (const { level, ...codes } of modules) {
      const [narrow, wide] = [false, true].map((isWide) => bytesOf(level, false, isWide));
      expect(Buffer.from(codes.narrow, 'base64').equals(narrow)).toBe(true);
      expect(Buffer.from(codes.wide, 'base64').equals(wide)).toBe(true);
      expect(Buffer.from(narrow).equals(wide)).toBe(false);
    }
  });

  test('that cannot be started is a reason, for this time', async () => {
    const started = jest.spyOn(childProcess, 'execFile').mockImplementation(() => {
      throw new Error('Access to this API has been restricted');
    });
    const answer = 'its probe did not run: Access to this API has been restricted';
    expect(await probe('')).toEqual({ answer, isFinal: false });
    started.mockRestore();
  });
});
