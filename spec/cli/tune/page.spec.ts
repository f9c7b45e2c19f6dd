/** What `tandem tune` shows of figures that are made up here. */
import fc from 'fast-check';
import type { TriedType } from '../../../cli/tune/choose';
import { asData, type Findings, flagsOf, page, seriesOf } from '../../../cli/tune/page';
import { picture, type Series } from '../../../cli/tune/picture';

const point = fc.record({
  gamma: fc.integer({ min: 1, max: 40 }),
  measured: fc.double({ min: 0.1, max: 12, noNaN: true }),
});
const series: fc.Arbitrary<Series> = fc.record({
  label: fc.string({ unit: fc.constantFrom('a', '<', '>', '&', ':'), maxLength: 6 }),
  curve: fc.array(fc.double({ min: 0.1, max: 12, noNaN: true }), { minLength: 1, maxLength: 40 }),
  points: fc.array(point, { maxLength: 3 }),
});

interface Element {
  readonly text: string;
  /** An attribute. */
  readonly of: (name: string) => string | undefined;
  readonly at: (name: string) => number;
}

/** Elements of an SVG by name. */
function elements(svg: string, name: string): Element[] {
  return [...svg.matchAll(new RegExp(`<${name} ([^>]*?)/?>(?:([^<]*)</${name}>)?`, 'g'))].map(
    ([, inside, text = '']) => {
      const attributes = new Map([...inside.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key, value]));
      return { text, of: (key) => attributes.get(key), at: (key) => Number(attributes.get(key)) };
    },
  );
}

const escaped = (text: string) =>
  text.replace(/[&<>]/g, (letter) => `&${{ '&': 'amp', '<': 'lt', '>': 'gt' }[letter]};`);

/** The scales of a picture, read from the labels of its grid. */
function scales(svg: string, all: readonly Series[]) {
  const texts = elements(svg, 'text');
  const rules = elements(svg, 'line');
  const labels = texts.filter(({ text }) => /^[\d.]+×$/.test(text));
  const values = labels.map(({ text }) => Number.parseFloat(text));
  const most = values[values.length - 1];
  const [low, top] = [rules[0].at('y1'), rules[rules.length - 1].at('y1')];
  const widest = Math.max(
    1,
    ...all.flatMap(({ curve, points }) => [curve.length - 1, ...points.map(({ gamma }) => gamma)]),
  );
  const xOf = (gamma: number) => 60 + (540 * gamma) / widest;
  const speedupAt = (y: number) => ((low - y) / (low - top)) * most;
  return { texts, rules, labels, values, most, height: low - top, xOf, speedupAt };
}

describe('the picture of tandem tune', () => {
  it('has a grid with a label for each line, which reaches beyond every figure', () => {
    fc.assert(
      fc.property(fc.array(series, { maxLength: 10 }), (all) => {
        const svg = picture('a <title>', all);
        expect(svg).toContain('>a &lt;title&gt;</text>');
        const { texts, rules, labels, values, most, height, xOf, speedupAt } = scales(svg, all);
        for (const [i, rule] of rules.entries()) {
          const [y1, stroke] = [rule.at('y1'), values[i] === 1 ? '#555' : '#ddd'];
          expect([rule.at('y2'), rule.of('stroke'), speedupAt(y1)]).toEqual([y1, stroke, expect.closeTo(values[i], 1)]);
          expect([rule.at('x1'), rule.at('x2'), labels[i].at('y') - y1]).toEqual([60, 600, expect.closeTo(4, 5)]);
        }
        const widths = texts.filter(({ text }) => /^\d+$/.test(text));
        for (const one of widths) expect(one.at('x')).toBeCloseTo(xOf(Number(one.text)), 0);
        expect([widths.length > 0 && widths.length <= 17, values.length >= 3 && values.length <= 13]).toEqual([
          true,
          true,
        ]);
        const figures = all.flatMap(({ curve, points }) => [...curve, ...points.map(({ measured }) => measured)]);
        expect([rules.length, most >= Math.max(1.5, ...figures), height]).toEqual([values.length, true, 390]);
      }),
      { numRuns: 60 },
    );
  });

  it('shows each figure where its axes say, in the colour of its legend', () => {
    fc.assert(
      fc.property(fc.array(series, { maxLength: 10 }), (all) => {
        const svg = picture('', all);
        const { texts, most, xOf, speedupAt } = scales(svg, all);
        const [lines, circles] = [elements(svg, 'polyline'), elements(svg, 'circle')];
        const near = (y: number, speedup: number) => Math.abs(speedupAt(y) - speedup) < 0.01 * most;
        let seen = 0;
        for (const [i, { label, curve, points }] of all.entries()) {
          const stroke = lines[i].of('stroke');
          const places = (lines[i].of('points') as string).split(' ').map((place) => place.split(',').map(Number));
          expect(places.map(([x]) => x)).toEqual(curve.map((_, gamma) => expect.closeTo(xOf(gamma), 0)));
          expect(places.filter(([, y], gamma) => !near(y, curve[gamma]))).toEqual([]);
          for (const { gamma, measured } of points) {
            const dot = circles[seen++];
            expect([dot.of('fill'), dot.at('cx')]).toEqual([stroke, expect.closeTo(xOf(gamma), 0)]);
            expect(near(dot.at('cy'), measured)).toBe(true);
            expect(svg).toContain(`<title>${escaped(label)}, γ = ${gamma}: ${measured.toFixed(2)}× measured</title>`);
          }
          // The name stands beside its dot, each below the one before, right of the plot.
          const dot = circles[seen++];
          const name = texts.filter((one) => one.at('x') === 630)[i];
          expect([dot.of('fill'), dot.at('cx'), dot.at('cy')]).toEqual([stroke, 618, 60 + 20 * i]);
          expect([name.text, name.at('y')]).toEqual([escaped(label), 64 + 20 * i]);
          expect(lines.findIndex((one) => one.of('stroke') === stroke)).toBe(i % 8);
          expect(lines[i].of('stroke-dasharray') !== undefined).toBe(i >= 8);
        }
        expect([lines.length, circles.length]).toEqual([all.length, seen]);
      }),
      { numRuns: 60 },
    );
  });
});

const tried = (name: string, equal = true): TriedType['tried'][number] => ({
  ...{ candidate: { name, draft: [name] }, alpha: 0.8125, proposing: 0.75, gamma: 2, curve: [1, 1.25, 1.5, 1.75] },
  ...{ costs: { c: 0.125, v: [1, 1.5, 2] } },
  points: [
    { gamma: 2, predicted: 1.5, measured: 1.375, tokensPerSecond: 27.5, plainTokensPerSecond: 20, equal },
    { gamma: 3, predicted: 1.75, measured: 1.625, tokensPerSecond: 32.5, plainTokensPerSecond: 20, equal: true },
  ],
});
const untimed = (name: string) => ({ ...tried(name), points: [], gamma: 0 });

function findings(types: readonly TriedType[], changes: Partial<Findings> = {}): Findings {
  const [type] = types;
  return {
    ...{ target: 'mine\u001b[2J', backend: { name: 'wasm', level: 'simd', threads: 3 } as Findings['backend'] },
    ...{ texts: 4, of: 9, temperature: 0, types, settings: { draft: ['copy'], gamma: 3, threads: 3 } },
    choice: { type, draft: type.tried[0]?.candidate ?? null, gamma: 3, speedup: 1.625, tokensPerSecond: 32.5 },
    ...changes,
  };
}

const type = (changes: Partial<TriedType> = {}): TriedType => ({
  ...{ asked: undefined, dtype: 'f32', plain: 20, v: [1, 1.5, 2], tried: [tried('copy')], leftOut: [] },
  ...changes,
});
const cells = (line: string) => line.trim().split(/ {2,}/);

describe('the page of tandem tune', () => {
  it('has a table of each type: what was predicted and measured of each γ of each draft', () => {
    const two = [
      type({ tried: [tried('copy'), untimed('self')] }),
      type({ dtype: 'q8', v: [], tried: [], leftOut: ['self', 'x'] }),
    ];
    const lines = page(findings(two)).trimEnd().split('\n');
    expect(lines.map(cells)).toEqual([
      ['mine\\x1b[2J on wasm (simd), 3 threads; 4 of 9 texts, temperature 0'],
      ['f32, v(2) 1.50, v(3) 2.00, v(5) 3.00, v(9) 5.00, v(17) 9.00'],
      ['draft', 'α', 'proposing', 'c', 'γ', 'predicted', 'measured', 'tokens/s'],
      ['none', '0', '1.00×', '20.0'],
      ['copy', '0.813', '75%', '0.125', '2', '1.50×', '1.38×', '27.5'],
      ['3', '1.75×', '1.63×', '32.5'],
      ['self', '0.813', '75%', '0.125', '0', '1.00×'],
      ['q8'],
      ['draft', 'α', 'proposing', 'c', 'γ', 'predicted', 'measured', 'tokens/s'],
      ['none', '0', '1.00×', '20.0'],
      ["left out: self, which is the target's own type"],
      ["left out: x, which is the target's own type"],
      ['best: copy, γ = 3, f32: 1.63×, 32.5 tokens/s'],
      ['flags: --draft copy --gamma 3 --threads 3'],
    ]);
    expect(lines[3].indexOf('1.00×')).toBe(lines[4].indexOf('1.38×'));
  });

  it('leaves out what is not so: other texts, other types, a draft, flags', () => {
    const choice = { type: type(), draft: null, gamma: 0, speedup: 1, tokensPerSecond: 20 };
    const lines = page(findings([type()], { of: 4, choice, settings: {} })).split('\n');
    expect(lines[0]).toMatch(/; 4 texts, temperature 0$/);
    expect(lines.slice(-2)).toEqual(['best: no draft: 1.00×, 20.0 tokens/s', '']);
  });

  it.each([
    [0, true, false],
    [0, false, true],
    [0.5, false, false],
  ])('at temperature %d with equal texts %s: it warns %s', (temperature, equal, warns) => {
    const text = page(findings([type({ tried: [untimed('self'), tried('copy', equal)] })], { temperature }));
    expect(text.endsWith('texts with a draft DIFFER from those without\n')).toBe(warns);
  });

  it('is the same as data, and each draft is a line of the picture, which names the type where there are several', () => {
    const found = findings([type(), type({ dtype: 'q8', tried: [untimed('self')] })]);
    expect(asData(found)).toMatchObject({
      ...{
        target: found.target,
        backend: { name: 'wasm', level: 'simd', threads: 3 },
        texts: 4,
        of: 9,
        temperature: 0,
      },
      types: [
        {
          dtype: 'f32',
          plain: 20,
          v: [1, 1.5, 2],
          leftOut: [],
          drafts: [{ draft: 'copy', c: 0.125, alpha: 0.8125, gamma: 2 }],
        },
        { dtype: 'q8', drafts: [{ draft: 'self', points: [] }] },
      ],
      best: { dtype: 'f32', draft: 'copy', gamma: 3, speedup: 1.625, tokensPerSecond: 32.5, settings: found.settings },
    });
    expect(asData(findings([type()], { choice: { ...found.choice, draft: null } }))).toMatchObject({
      best: { draft: null },
    });
    expect(seriesOf(found).map(({ label }) => label)).toEqual(['copy (f32)', 'self (q8)']);
    const [one, ...others] = seriesOf(findings([type()]));
    const { curve, points } = tried('copy');
    expect([one, others]).toEqual([{ label: 'copy', curve, points }, []]);
  });
});

describe('settings as flags', () => {
  it('are words of a shell, which gives each value back', () => {
    const value = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom("'", '"', '$', ' ', 'a', '\\') }),
      fc.constantFrom('a/b.c', 'a:b,@+=-'),
    );
    fc.assert(
      fc.property(value, (prefix) => {
        const [, word] = /^--prefix (.*)$/s.exec(flagsOf({ prefix })) ?? [];
        // Single quotes keep everything but themselves; a quote is written outside of them.
        const read = /^'/.test(word) ? word.replace(/^'|'$/g, '').replaceAll("'\\''", "'") : word;
        expect(read).toBe(prefix);
        expect(/^[\w./:,@+=-]+$/.test(word) || /^'(?:[^']|'\\'')*'$/.test(word)).toBe(true);
      }),
    );
    expect(flagsOf({ draft: [], maxNewTokens: 3 } as object)).toBe('--draft none --max-new-tokens 3');
    expect(flagsOf({ draft: ['copy', 'self'], wide: false })).toBe('--draft copy,self --wide false');
  });
});
