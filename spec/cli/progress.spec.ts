import fc from 'fast-check';
import type { Progress } from '../../api';
import { BatchProgress } from '../../cli/batch/progress';
import { bytesProgress, countProgress, encodingProgress, loadProgress } from '../../cli/progress';
import { counted } from '../../common';
import { type Screen, screen } from './screen';

const [HIDE, SHOW, CLEAR_LINE] = ['\u001b[?25l', '\u001b[?25h', '\u001b[2K'];
/** What a batch writes before each line of a terminal. */
const CLEAR = '\r\u001b[K';

const progress: fc.Arbitrary<Progress> = fc
  .record({
    phase: fc.constantFrom('download' as const, 'load' as const),
    role: fc.constantFrom('target' as const, 'draft' as const),
    model: fc.constant('mine/model'),
    item: fc.constantFrom('model.safetensors', 'odd\u001b[2Jname'),
    total: fc.integer({ min: 1, max: 4000 }).map((megabytes) => megabytes * 1e6),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ share, ...rest }) => ({ ...rest, loaded: Math.floor(share * rest.total) }));

let shown: Screen;
beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  shown.restore();
  jest.useRealTimers();
});

/** The text that a terminal shows now: what was drawn last, without its bar. */
const drawn = () => (shown.written.findLast((text) => /[=-]{40}/.test(text)) ?? '').replace(/[=-]{40}/, '|');
const all = () => shown.written.join('');

/** Shows some progress, with more time between its steps than two redraws have. */
function play(update: ((one: Progress) => void) | undefined, steps: readonly Progress[]): void {
  for (const step of steps) {
    jest.advanceTimersByTime(500);
    update?.(step);
  }
}

describe('a bar', () => {
  it.each([
    ['no terminal', false, false],
    ['no terminal, and quiet', false, true],
    ['quiet', true, true],
  ])('is nothing where there is %s', (_, terminal, quiet) => {
    shown = screen(terminal);
    const steps = fc.sample(progress, { numRuns: 5, seed: 1 });
    const bars = [loadProgress(quiet), ...(terminal ? [] : [loadProgress(), bytesProgress('copying')])];
    for (const { update, stop } of bars) {
      play(update, steps);
      stop();
    }
    for (const { update, stop } of [
      countProgress('steps', 9, quiet),
      ...(terminal ? [] : [countProgress('steps', 9)]),
    ]) {
      update(3);
      jest.advanceTimersByTime(500);
      update(4);
      stop();
    }
    expect([all(), jest.getTimerCount()]).toEqual(['', 0]);
  });

  it('of a load says what is loaded, the share and the size of the step that came last, and leaves nothing', () => {
    fc.assert(
      fc.property(fc.array(progress, { minLength: 1, maxLength: 6 }), (steps) => {
        shown = screen(true);
        const { update, stop } = loadProgress();
        for (const [i, step] of steps.entries()) {
          play(update, [step]);
          jest.advanceTimersByTime(500);
          const name = step.phase === 'load' ? step.role : `downloading ${step.item.replace('\u001b', '\\x1b')}`;
          const share = Math.floor((100 * step.loaded) / step.total);
          expect([i, drawn().replace(/\s+/g, ' ')]).toEqual([i, `${name} | ${share}% of ${step.total / 1e6} MB`]);
        }
        expect(all()).not.toContain('\u001b[2J');
        expect(all().split(HIDE)).toHaveLength(2);
        stop();
        expect(all().split(SHOW)).toHaveLength(2);
        expect(all().endsWith(CLEAR_LINE)).toBe(true);
        expect([all().includes('\n'), jest.getTimerCount()]).toEqual([false, 0]);
        shown.restore();
      }),
      { numRuns: 20 },
    );
  });

  it('of a load that takes less than 0.4 s is not shown', () => {
    shown = screen(true);
    const [step] = fc.sample(progress, { numRuns: 1, seed: 1 });
    const { update, stop } = loadProgress();
    jest.advanceTimersByTime(399);
    update?.(step);
    stop();
    expect(all()).toBe('');
    jest.advanceTimersByTime(1);
    update?.(step);
    expect(drawn()).not.toBe('');
    stop();
  });

  it('of bytes has the name that it is given', () => {
    shown = screen(true);
    const { update, stop } = bytesProgress('copying the weights');
    jest.advanceTimersByTime(400);
    update({ loaded: 1e6, total: 4e6 });
    expect(drawn()).toMatch(/^copying the weights \| 25% of 4 MB/);
    stop();
  });

  it('that counts shows its name, how many are done and of how many, from the beginning on', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { maxLength: 5 }), fc.integer({ min: 50, max: 99 }), (counts, total) => {
        shown = screen(true);
        const { update, stop } = countProgress('passages', total);
        expect(drawn()).toMatch(new RegExp(`^passages \\| 0/${total}`));
        for (const count of counts) {
          update(count);
          jest.advanceTimersByTime(500);
          expect(drawn()).toMatch(new RegExp(`^passages \\| ${count}/${total}`));
        }
        stop();
        expect(all().endsWith(CLEAR_LINE)).toBe(true);
        expect([all().includes('\n'), jest.getTimerCount()]).toEqual([false, 0]);
        shown.restore();
      }),
      { numRuns: 20 },
    );
  });
});

describe('the progress of a batch', () => {
  const line = (bytes: number) => ({ number: 1, text: 'x'.repeat(bytes - 1) });

  it.each<[string, { terminal: boolean; every: number; start: string; form: RegExp }]>([
    [
      'a terminal is one line that changes twice a second',
      { terminal: true, every: 500, start: CLEAR, form: /^\d+ lines?, [^\n]*$/ },
    ],
    [
      'a log is a line every 30 s',
      { terminal: false, every: 30_000, start: '', form: /^tandem: \d+ lines?, [^\n]*\n$/ },
    ],
  ])('on %s; the end is a line of its own, after which nothing comes', (_, { terminal, every, start, form }) => {
    shown = screen(terminal);
    const told = new BatchProgress({ size: null, quiet: false });
    expect(jest.getTimerCount()).toBe(0);
    told.begin();
    for (let i = 1; i < 5; i++) {
      told.recorded(false);
      jest.advanceTimersByTime(every - 1);
      expect(shown.written).toHaveLength(i - 1);
      jest.advanceTimersByTime(1);
      expect(shown.written).toHaveLength(i);
      expect(shown.written[i - 1].startsWith(start)).toBe(true);
      expect(shown.written[i - 1].slice(start.length)).toMatch(form);
      expect(shown.written[i - 1]).toContain(counted(i, 'line'));
    }
    told.close();
    const rest = shown.written.splice(0).slice(4).join('');
    expect(rest.startsWith(start)).toBe(true);
    expect(rest.slice(start.length)).toMatch(/^tandem: 4 lines[^\n]*\n$/);
    jest.advanceTimersByTime(10 * every);
    expect([all(), jest.getTimerCount()]).toEqual(['', 0]);
  });

  it('is nothing where quiet is asked for', () => {
    shown = screen(true);
    const told = new BatchProgress({ size: null, quiet: true });
    told.begin();
    told.recorded(true);
    jest.advanceTimersByTime(60_000);
    told.close();
    expect([all(), jest.getTimerCount(), told.failures]).toEqual(['', 0, 1]);
  });

  it('counts records, failures and their rate, from when the work began', () => {
    shown = screen(false);
    fc.assert(
      fc.property(fc.array(fc.boolean()), fc.nat(1e5), fc.integer({ min: 1, max: 1e6 }), (failed, begun, took) => {
        let now = 0;
        const told = new BatchProgress({ size: null, quiet: true, clock: () => now });
        now = begun;
        told.begin();
        now += took;
        for (const one of failed) told.recorded(one);
        const failures = failed.filter(Boolean).length;
        const end = failures > 0 ? `, ${failures} failed` : '';
        expect(told.text).toBe(
          `${counted(failed.length, 'line')}, ${((failed.length * 1000) / took).toFixed(1)} a second${end}`,
        );
        expect(told.failures).toBe(failures);
      }),
    );
  });

  it('says what is left by the bytes of this run, in units that read back as that time', () => {
    shown = screen(false);
    const seconds = fc.integer({ min: 1, max: 400_000 });
    fc.assert(
      fc.property(seconds, fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 4 }), (left, earlier) => {
        let now = 0;
        const before = earlier.reduce((sum, bytes) => sum + bytes, 0);
        const told = new BatchProgress({ size: before + 2 + 2 * left, quiet: true, clock: () => now });
        told.begin();
        for (const bytes of earlier) told.passed(line(bytes));
        now = 1000;
        expect(told.text).not.toContain('left');
        told.recorded(false);
        told.passed(line(2)); // two bytes a second
        const found = /, (?:(\d+) h )?(?:(\d+) min ?)?(?:(\d+) s )?left$/.exec(told.text);
        const [hours = 0, minutes = 0, rest = 0] = (found?.slice(1) ?? []).map((part) => Number(part ?? 0));
        const read = hours * 3600 + minutes * 60 + rest;
        expect([told.text, read]).toEqual([told.text, left < 3600 ? left : left - (left % 60)]);
        expect([minutes < 60, rest < 60, left < 3600 || hours > 0]).toEqual([true, true, true]);
      }),
    );
  });

  it('says nothing of what is left where the size is not known, or all of it is done', () => {
    shown = screen(false);
    for (const [size, expected] of [
      [null, false],
      [10, false],
      [9, false],
      [11, true],
    ] as const) {
      let now = 0;
      const told = new BatchProgress({ size, quiet: true, clock: () => now });
      told.begin();
      now = 1000;
      told.recorded(false);
      told.passed(line(10));
      expect([size, told.text.includes('left')]).toEqual([size, expected]);
    }
  });
});

describe('the bar of a source that takes long to encode', () => {
  const shares = fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 5 });

  test('shows the share that is done, and is gone when all is, for one source after the other', () => {
    fc.assert(
      fc.property(fc.array(shares, { minLength: 1, maxLength: 3 }), (sources) => {
        shown = screen(true);
        const bar = encodingProgress();
        for (const found of sources) {
          const from = shown.written.length;
          const rising = [...found].sort((a, b) => a - b);
          bar.update?.({ done: 0, total: 400 });
          for (const share of rising) {
            jest.advanceTimersByTime(500);
            bar.update?.({ done: 4 * share, total: 400 });
          }
          const written = shown.written.slice(from).join('');
          expect(written).toContain(`${Math.floor(((4 * rising[0]) / 400) * 100)}%`); // a bar is drawn at once where it begins
          bar.update?.({ done: 400, total: 400 });
          expect(shown.written.slice(from).join('')).toContain(SHOW);
          const ended = shown.written.length;
          jest.advanceTimersByTime(5000);
          expect(shown.written.length).toBe(ended);
        }
        bar.stop();
        shown.restore();
      }),
      { numRuns: 10, examples: [[[[29]]]] },
    );
    shown = screen(true);
  });

  test('does not show for what ends soon, nor where nobody looks or wants it; a cancel takes it away', () => {
    shown = screen(true);
    const soon = encodingProgress();
    for (const done of [0, 100, 400]) {
      jest.advanceTimersByTime(100);
      soon.update?.({ done, total: 400 });
    }
    expect(all()).toBe('');
    expect(encodingProgress(true).update).toBeUndefined();
    const cancelled = encodingProgress();
    cancelled.update?.({ done: 0, total: 400 });
    jest.advanceTimersByTime(500);
    cancelled.update?.({ done: 100, total: 400 });
    expect(all()).toContain('25%');
    cancelled.stop();
    const ended = shown.written.length;
    jest.advanceTimersByTime(5000);
    expect(shown.written.length).toBe(ended);
    shown.restore();
    shown = screen(false);
    expect(encodingProgress().update).toBeUndefined();
  });
});
