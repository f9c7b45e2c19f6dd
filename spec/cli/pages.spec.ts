/** What the commands print, computed from made-up figures: each line of a page and the condition under which it is there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchProgress } from '../../cli/batch/progress';
import { Window } from '../../cli/batch/window';
import { readPairs } from '../../cli/eval/pairs';
import { exitCodeOf, isCancellation, oneLine } from '../../cli/failure';
import { coloursFor, paint } from '../../cli/generate/paint';
import { groupText, mutantTable } from '../../cli/prove/page';
import { TandemError } from '../../common';

const plainColours = coloursFor({}, false);

describe('the progress of tandem batch', () => {
  const made = (size: number | null) => {
    let now = 0;
    const progress = new BatchProgress({ size, quiet: true, clock: () => now });
    const at = (ms: number) => {
      now = ms;
      return progress.text;
    };
    const line = (text: string) => progress.passed({ number: 1, text });
    return { progress, at, line };
  };

  it('counts from where this run began: what was done before is no speed', () => {
    const { progress, at, line } = made(1000);
    line('x'.repeat(99)); // done by an earlier run
    progress.recorded(false);
    line('x'.repeat(99));
    progress.recorded(true);
    expect(at(2000)).toBe('2 lines, 1.0 a second, 16 s left, 1 failed');
    expect(progress.failures).toBe(1);
    expect(at(0)).toMatch(/^2 lines, 2000\.0 a second/);
  });

  it.each([
    [1, '1 s'],
    [59, '59 s'],
    [60, '1 min 0 s'],
    [61.2, '1 min 2 s'],
    [3599, '59 min 59 s'],
    [3600, '1 h 0 min'],
    [7380, '2 h 3 min'],
  ])('tells %d seconds as %s', (seconds, text) => {
    const { progress, at, line } = made(1 + 1 + seconds * 10);
    line('');
    progress.recorded(false);
    progress.passed({ number: 2, error: new TandemError('source-invalid', 'x') as never });
    expect(at(100)).toContain(`, ${text} left`);
  });

  it('tells no rest where nobody knows it, or nothing is left', () => {
    const unknown = made(null);
    unknown.line('a');
    unknown.progress.recorded(false);
    unknown.line('a');
    expect(unknown.at(1000)).toBe('1 line, 1.0 a second');
    const done = made(4);
    done.line('a');
    done.progress.recorded(false);
    done.line('a');
    expect(done.at(1000)).toBe('1 line, 1.0 a second');
    expect(made(10).at(1000)).toBe('0 lines, 0.0 a second');
  });

  it.each([true, false])('quiet %s: says so on standard error, or nothing', (quiet) => {
    const write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    const progress = new BatchProgress({ size: null, quiet, clock: () => 0 });
    progress.begin();
    progress.close();
    const said = write.mock.calls.map(([text]) => String(text)).join('');
    write.mockRestore();
    expect(said).toMatch(quiet ? /^$/ : /tandem: 0 lines, 0\.0 a second\n$/);
  });
});

describe('places for what has begun', () => {
  it('are given in the order in which they were asked for, never more than there are, until it opens', async () => {
    const window = new Window(2);
    const taken: number[] = [];
    for (let i = 0; i < 5; i++) void window.take().then(() => taken.push(i));
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    await settle();
    expect(taken).toEqual([0, 1]);
    window.leave();
    await settle();
    expect(taken).toEqual([0, 1, 2]);
    window.open();
    await settle();
    expect(taken).toEqual([0, 1, 2, 3, 4]);
    await window.take();
    const other = new Window(0);
    other.leave();
    await other.take();
  });
});

describe('pairs of texts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-pairs-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const read = (content: string | Uint8Array) => {
    writeFileSync(join(folder, 'pairs'), content);
    return readPairs(join(folder, 'pairs'), new AbortController().signal);
  };

  it.each<[string, RegExp]>([
    ['', /pairs: expected pairs, found none$/],
    ['a', /line 1: expected a source, a tab and a reference, found no tab in 'a'$/],
    ['a\tb\nc\td\te', /line 2: .*, found 3 fields$/],
    ['\tb', /line 1: .*, found an empty source$/],
    ['a\t ', /line 1: .*, found an empty reference$/],
    ['x\ny\na\tb\nz', /line 1: .* \(and 2 more lines like it\)$/],
    ['x\na\tb\ny', /line 1: .* \(and 1 more lines like it\)$/],
  ])('%j is refused with its first bad line', async (content, message) => {
    await expect(read(content)).rejects.toThrow(message);
  });

  it('are the lines of the file', async () => {
    expect(await read('a b\tc\nd\te f\n')).toEqual([
      { source: 'a b', reference: 'c' },
      { source: 'd', reference: 'e f' },
    ]);
    await expect(read(Uint8Array.of(0xe9, 9, 65))).rejects.toMatchObject({ code: 'source-invalid' });
  });
});

describe('the proof', () => {
  it('marks what failed and says why, and shows measures with four digits or an exponent', () => {
    const check = (passed: boolean, failure: string | null) => ({ name: 'law', passed, measured: '5', failure });
    const text = groupText('kernels', [check(true, null), check(false, 'because')] as never);
    expect(text).toBe(
      'The kernels keep their laws\n  ✓         law      5\n  ✗ FAILED  law      5\n            because\n\n',
    );
    const row = (mutant: string, measured: number, caught: boolean, check = 'chi') => ({
      ...{ check, mutant, measured, caught },
      ...{ unit: 'distance', shipped: 0, example: 'x' },
    });
    const rows = [row('one', 0.00001, true), row('two', 0.0001, false), row('three', -2, true, 'law')];
    expect(mutantTable(rows as never).split('\n')).toEqual([
      '  chi: the shipped code measures 0.0000 (distance)',
      '    mutant           measured  counterexample',
      '    one                  1e-5  x',
      '    NOT CAUGHT: two    0.0001  x',
      '  law: the shipped code measures 0.0000 (distance)',
      '    mutant  measured  counterexample',
      '    three    -2.0000  x',
      '',
      '',
    ]);
  });
});

describe('a failure', () => {
  it('has the exit code and the line of its kind', () => {
    expect(exitCodeOf(new TandemError('option-invalid', 'x'))).toBe(2);
    expect(exitCodeOf(new TandemError('argument-invalid', 'x'))).toBe(2);
    for (const error of [new TandemError('io-failed', 'x'), new Error('x'), { code: 'option-invalid' }, null]) {
      expect(exitCodeOf(error)).toBe(1);
    }
    const cancelled = [{ name: 'AbortError' }, { code: 'aborted' }, { code: 'ABORT_ERR' }];
    expect(cancelled.map(isCancellation)).toEqual([true, true, true]);
    expect([null, undefined, new Error('aborted'), { code: 'x' }].some(isCancellation)).toBe(false);
    expect(oneLine(new Error(' a \n\n  b\n'))).toBe('a b');
    expect([oneLine('x'), oneLine(new RangeError('')), oneLine('')]).toEqual([
      'x',
      'RangeError',
      'failed for no stated reason',
    ]);
    expect(oneLine('y'.repeat(2000))).toBe('y'.repeat(2000));
    expect(oneLine('y'.repeat(2001))).toBe(`${'y'.repeat(2000)}…`);
  });
});

describe('colours', () => {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  const restore = (name: string, value?: string) => {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  };
  afterEach(() => {
    for (const [name, value] of Object.entries({ NO_COLOR, FORCE_COLOR, TERM })) restore(name, value);
  });

  it.each<[Record<string, string>, boolean, boolean | undefined, boolean]>([
    [{}, true, undefined, true],
    [{}, false, undefined, false],
    [{ NO_COLOR: '1' }, true, undefined, false],
    [{ NO_COLOR: '' }, true, undefined, true],
    [{ TERM: 'dumb' }, true, undefined, false],
    [{ FORCE_COLOR: '1' }, false, undefined, true],
    [{ FORCE_COLOR: '0' }, false, undefined, false],
    [{ FORCE_COLOR: '' }, false, undefined, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, undefined, true],
    [{ FORCE_COLOR: '1' }, true, false, false],
    [{ NO_COLOR: '1' }, false, true, true],
  ])('with %j, a terminal %s and asked for %s: %s', (variables, isTTY, asked, expected) => {
    for (const name of ['NO_COLOR', 'FORCE_COLOR', 'TERM']) restore(name, variables[name]);
    expect(coloursFor({ isTTY }, asked).isColorSupported).toBe(expected);
  });

  it('tell tokens apart by where they come from, and leave nothing as nothing', () => {
    const colours = coloursFor({}, true);
    const painted = (['accepted', 'corrected', 'bonus', 'target'] as const).map((one) => paint(colours, one, 'a'));
    expect(new Set(painted).size).toBe(4);
    expect(painted.slice(0, 2)).toEqual([colours.green('a'), colours.yellow('a')]);
    for (const origin of ['accepted', 'corrected', 'bonus', 'target'] as const) {
      expect([paint(colours, origin, ''), paint(plainColours, origin, 'a')]).toEqual(['', 'a']);
    }
  });
});
