/** Every row of the paper's four tables: the published figures, and those of this machine, which are made up here. */
import fc from 'fast-check';
import type { Tandem } from '../../../api';
import type { PaperMeasurements } from '../../../cli/paper/measure';
import { paperPage } from '../../../cli/paper/page';
import { theory } from '../../../decoding';
import { TABLE_1, TABLE_2, TABLE_3, TABLE_5 } from '../../../decoding/gamma/published';

const figure = fc.double({ min: 0, max: 9, noNaN: true });
const some = fc.option(figure);
const figures = fc.record({ alpha: figure, c: some, v: some, theory: some, predicted: some, measured: figure });
const measured: fc.Arbitrary<PaperMeasurements> = fc.record({
  ...{ passages: fc.integer({ min: 1, max: 200 }), tokens: fc.nat(9999) },
  pair: fc.array(
    fc.tuple(fc.constantFrom<0 | 1>(0, 1), fc.integer({ min: 1, max: 9 }), figures).map(([temperature, gamma, one]) => {
      return { temperature, gamma, ...one };
    }),
    { maxLength: 3 },
  ),
  ngrams: fc.array(
    fc.record({ order: fc.constantFrom<1 | 2>(1, 2), gamma: fc.constant(3), greedy: figures, sampled: figures }),
    {
      maxLength: 2,
    },
  ),
  lenience: fc.array(
    fc.tuple(fc.boolean(), figures).map(([exact, one]) => ({ lenience: 1, exact, ...one })),
    { minLength: TABLE_5.length, maxLength: TABLE_5.length },
  ),
});
const machine = fc.record({
  backend: fc.record({
    name: fc.constant('wasm'),
    level: fc.constant('simd'),
    wide: fc.option(fc.record({ on: fc.boolean() })),
    threads: fc.nat(9),
  }),
  target: fc.record({ parameters: fc.integer({ min: 1e6, max: 9e8 }), dtype: fc.constantFrom('q8', 'f32') }),
  draft: fc.option(fc.record({ parameters: fc.integer({ min: 1e6, max: 9e8 }) })),
});

const fixed = (value: number | null, digits: number) => value?.toFixed(digits) ?? '';
const times = (value: number | null) => (value === null ? '' : `${value.toFixed(2)}×`);

/** The words of a table's line. A cell that is empty leaves none. */
const words = (line: string) => line.trim().split(/ {2,}/);
const filled = (cells: readonly (string | number)[]) => cells.map(String).filter((cell) => cell !== '');

/** The lines of each table, without its heading and its head. */
function tablesOf(
  page: string,
): { readonly heading: string; readonly head: string; readonly rows: readonly string[] }[] {
  return page
    .split(/^(?=Table \d)/m)
    .slice(1)
    .map((part) => {
      const [heading, head, ...rest] = part.split('\n');
      const end = rest.indexOf('');
      return { heading, head, rows: rest.slice(0, end) };
    });
}

describe('the page of tandem paper', () => {
  it('has a row for each published one and for each that was measured, with nothing where there is no figure', () => {
    fc.assert(
      fc.property(measured, machine, (found, tandem) => {
        const [one, two, three, five] = tablesOf(paperPage(tandem as unknown as Tandem, found)).map(({ rows }) =>
          rows.map(words),
        );
        expect(one).toEqual(
          TABLE_1.map(({ alpha, gamma, operations, speed }) => {
            const [ourOperations, ourSpeed] = [
              theory.expectedOperations(alpha, gamma),
              theory.predictedSpeedup({ alpha, gamma, c: 0 }),
            ];
            return filled([alpha.toFixed(2), gamma, ...[operations, ourOperations, speed, ourSpeed].map(times)]);
          }),
        );
        expect(two).toEqual([
          ...TABLE_2.map((row) =>
            filled([
              `${row.task}, ${row.draft}`,
              row.temperature,
              row.gamma,
              fixed(row.alpha, 2),
              fixed(row.c, 2),
              times(row.theory),
              times(row.measured),
            ]),
          ),
          ...found.pair.map((row) =>
            filled([
              ...['here', row.temperature, row.gamma, fixed(row.alpha, 2), fixed(row.c, 3), fixed(row.v, 2)],
              ...[row.theory, row.predicted, row.measured].map(times),
            ]),
          ),
        ]);
        const orders = { 1: 'unigram', 2: 'bigram' };
        expect(three).toEqual([
          ...TABLE_3.map(({ task, order, alpha }) =>
            filled([
              ...[`${task}, ${orders[order]}`, fixed(alpha.greedy, 2), fixed(alpha.sampled, 2)],
              task === 'EnDe' && order === 2 ? '1.25× (γ = 3, c = 0)' : '', // the one that section 4.2 tells
            ]),
          ),
          ...found.ngrams.map(({ order, greedy, sampled }) => [
            ...[`here, ${orders[order]}`, fixed(greedy.alpha, 2), fixed(sampled.alpha, 2)],
            ...[times(greedy.measured), times(sampled.measured)],
          ]),
        ]);
        expect(five).toEqual(
          found.lenience.map(({ exact, alpha, measured: speed }, i) => {
            const { lenience, alpha: published } = TABLE_5[i];
            return [String(lenience), fixed(published, 2), fixed(alpha, 2), times(speed), exact ? 'yes' : 'NO'];
          }),
        );
      }),
    );
  });

  it('says of each table what it shows, and ends each figure where its head ends', () => {
    const [found] = fc.sample(measured, 1);
    const [tandem] = fc.sample(machine, 1);
    const tables = tablesOf(paperPage(tandem as unknown as Tandem, found));
    expect(tables.map(({ heading, head }) => [heading.slice(0, 9), words(head)])).toEqual([
      ['Table 1. ', ['α', 'γ', 'operations', '(formula)', 'speed', '(formula)']],
      ['Table 2. ', ['pair', 'T', 'γ', 'α', 'c', 'v', 'theorem 3.8', 'with v', 'measured']],
      ['Table 3. ', ['draft', 'α, T = 0', 'α, T = 1', 'speed-up, T = 0', 'T = 1']],
      ['Table 5. ', ['lenience', 'α of EnDe, small', 'α here', 'speed-up here', 'exact']],
    ]);
    const [, { head, rows }] = tables;
    const end = (line: string, cell: string) => line.indexOf(cell) + cell.length;
    expect(end(rows[0], '3.20×')).toBe(end(head, 'theorem 3.8'));
    expect(rows[0].length).toBe(head.length); // both end with what was measured
  });

  it('says which pair was measured, on what, and how long it is', () => {
    fc.assert(
      fc.property(measured, machine, (found, tandem) => {
        const { backend, target, draft } = tandem;
        const millions = (parameters: number) => `${(parameters / 1e6).toPrecision(3)} M`;
        expect(paperPage(tandem as unknown as Tandem, found).split('\n')[1]).toBe(
          `here: ${millions(target.parameters)} target, ${millions(draft?.parameters ?? 0)} draft, ${target.dtype} on wasm (simd${backend.wide?.on ? ', wide' : ''}), ${backend.threads} threads; ${found.passages} held-out passages, ${found.tokens} tokens`,
        );
      }),
    );
  });
});
