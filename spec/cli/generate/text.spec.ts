/** What the printer of text writes for any order of events, beside a plain statement of it. */
import fc from 'fast-check';
import { coloursFor } from '../../../cli/generate/paint';
import type { Outcome, Setting } from '../../../cli/generate/printer';
import { textPrinter } from '../../../cli/generate/text';
import { addTallies, metricsOf } from '../../../decoding';

interface Item {
  readonly kind: 'done' | 'failed' | 'blank';
  readonly pieces: readonly string[];
}

const items = fc.array(
  fc.record<Item>({
    kind: fc.constantFrom('done', 'failed', 'blank'),
    pieces: fc.array(fc.constantFrom('', 'Thou', ' art', '\u001b[1m'), { maxLength: 3 }),
  }),
  { maxLength: 5 },
);

const input = (line: number) => ({ kind: 'input', index: line - 1, line, source: 'a' }) as const;

/** What a printer writes to the two streams. */
function printed(setting: object, events: (printer: ReturnType<typeof textPrinter>) => void) {
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    jest.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += text;
      return true;
    }),
  );
  try {
    const whole = {
      ...{ tandem: { hasTokenizer: true, drafter: null }, options: {}, colours: coloursFor({}, false) },
      ...{ showcase: false, terminal: false, several: true, ...setting },
    };
    events(textPrinter(whole as unknown as Setting));
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return written;
}

const outcomeOf = (sequences: readonly object[] = []) =>
  ({ result: { sequences }, comparison: null }) as unknown as Outcome;
const safe = (text: string) => text.replaceAll('\u001b', '\\x1b');

describe('the printer of text', () => {
  it('writes one line an input at its place: its pieces, whatever became of it; errors go to standard error', () => {
    fc.assert(
      fc.property(items, fc.boolean(), fc.boolean(), (list, terminal, several) => {
        const { stdout, stderr } = printed({ terminal, several, quiet: true }, (printer) => {
          for (const [i, { kind, pieces }] of list.entries()) {
            if (kind !== 'blank') printer.begin(input(i + 1));
            for (const text of kind === 'blank' ? [] : pieces) {
              printer.token({ token: 1, text, origin: 'target' } as never);
            }
            if (kind === 'blank') printer.blank();
            else if (kind === 'done') printer.done(input(i + 1), outcomeOf());
            else printer.failed(input(i + 1), new Error(`no ${i}`));
          }
          printer.close(1);
        });
        const lines = list.map(({ kind, pieces }) => {
          const text = kind === 'blank' ? '' : pieces.join('');
          return kind === 'failed' && !several && text === '' ? '' : `${terminal ? safe(text) : text}\n`;
        });
        expect(stdout).toBe(lines.join(''));
        const errors = list.flatMap(({ kind }, i) =>
          kind === 'failed' ? [`tandem: ${several ? `line ${i + 1}: ` : ''}no ${i}\n`] : [],
        );
        expect(stderr).toBe(errors.join(''));
      }),
    );
  });

  it('ends the line that was begun when it is interrupted, and no other', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('', 'a', 'b'), { maxLength: 3 }), fc.boolean(), (pieces, isDone) => {
        const { stdout } = printed({}, (printer) => {
          printer.begin(input(1));
          for (const text of pieces) printer.token({ token: 1, text, origin: 'target' } as never);
          if (isDone) printer.done(input(1), outcomeOf());
          printer.interrupted();
        });
        const text = pieces.join('');
        expect(stdout).toBe(isDone || text !== '' ? `${text}\n` : '');
      }),
    );
  });

  it('writes token ids with spaces between them where there is no tokenizer', () => {
    const tandem = { hasTokenizer: false, drafter: null };
    const { stdout } = printed({ tandem }, (printer) => {
      for (const ids of [[7, 8, 9], [5]]) {
        printer.begin(input(1));
        for (const token of ids) printer.token({ token, text: '', origin: 'target' } as never);
        printer.done(input(1), outcomeOf());
      }
    });
    expect(stdout).toBe('7 8 9\n5\n');
  });

  it('writes each of several sequences on a line, beams after their scores, and no token before', () => {
    const sequences = [
      { text: 'a\u001b', ids: [1, 2], score: -0.12345 },
      { text: 'b', ids: [3] },
    ];
    for (const [hasTokenizer, terminal, expected] of [
      [true, false, '-0.1235\ta\u001b\nb\n'],
      [true, true, '-0.1235\ta\\x1b\nb\n'],
      [false, false, '-0.1235\t1 2\n3\n'],
    ] as const) {
      const setting = {
        tandem: { hasTokenizer, drafter: null },
        options: { numReturnSequences: 2 },
        terminal,
        quiet: true,
      };
      const { stdout } = printed(setting, (printer) => {
        printer.begin(input(1));
        printer.token({ token: 1, text: 'x', origin: 'target' } as never);
        printer.done(input(1), outcomeOf(sequences));
      });
      expect(stdout).toBe(expected);
    }
  });

  it('shows the source before the text, and an empty line after it, where examples are shown', () => {
    const tandem = { hasTokenizer: true, drafter: null, draft: null, target: { parameters: 12_345_678 } };
    const { stdout } = printed({ tandem, showcase: true }, (printer) => {
      for (const source of ['x\u001b', [4, 5]]) {
        printer.begin({ ...input(1), source });
        printer.token({ token: 1, text: 'y', origin: 'target' } as never);
        printer.done(input(1), outcomeOf());
      }
    });
    expect(stdout).toBe('tandem: a target of 12.3 M decides\n\nx\\x1b\ny\n\n4,5\ny\n\n');
  });

  it('ends with a report on a terminal that is not quiet, with examples, and after a comparison; else with none', () => {
    const metrics = metricsOf({ ...addTallies([]), newTokens: 6, rounds: 2, targetCalls: 2, seconds: 1 });
    const conditions = fc.record({
      ...{ terminal: fc.boolean(), quiet: fc.boolean(), showcase: fc.boolean(), several: fc.boolean() },
      ...{
        compared: fc.array(fc.boolean(), { maxLength: 3 }),
        colour: fc.boolean(),
        drafter: fc.constantFrom(null, 'x'),
      },
    });
    fc.assert(
      fc.property(conditions, ({ compared, colour, drafter, ...flags }) => {
        const tandem = {
          ...{ hasTokenizer: true, drafter, draft: null, target: { parameters: 1e6, dtype: 'f32' } },
          backend: { name: 'wasm', level: 'simd', wide: null, threads: 1 },
        };
        const colours = coloursFor({}, colour);
        const written = (closed: boolean) =>
          printed({ ...flags, tandem, colours }, (printer) => {
            for (const isCompared of compared) {
              const comparison = isCompared ? { autoregressive: { metrics }, equal: true } : null;
              printer.done(input(1), { result: { sequences: [], metrics }, comparison } as unknown as Outcome);
            }
            if (closed) printer.close(1);
          });
        const [before, after] = [written(false), written(true)];
        const isToOutput = flags.terminal || flags.showcase;
        const [own, other] = isToOutput ? (['stdout', 'stderr'] as const) : (['stderr', 'stdout'] as const);
        const isWanted = (flags.terminal && !flags.quiet) || flags.showcase || compared.includes(true);
        const report = after[own].slice(before[own].length);
        expect([after[own].startsWith(before[own]), after[other]]).toEqual([true, before[other]]);
        if (!isWanted || compared.length === 0) return expect(report).toBe('');
        const lines = report.split('\n');
        if (!flags.showcase) expect(lines.shift()).toBe('');
        expect(report.includes('free extra token')).toBe(drafter !== null && colour);
        if (drafter !== null && colour) expect(lines.shift()).toContain('drafted and kept');
        expect(lines[0]).toMatch(/on.* wasm \(simd\), 1 thread, f32/);
        const isLast = compared.includes(true) ? /equal.*yes/ : /time.* 1000 ms/;
        return expect(lines.slice(-2)).toEqual([expect.stringMatching(isLast), '']);
      }),
    );
  });
});
