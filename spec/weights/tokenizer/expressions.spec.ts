/** Expressions of tokenizer.json find what JavaScript's own search finds, in steps that are linear in the text. */
import fc from 'fast-check';
import { linearPattern } from '../../../weights/tokenizer/pipeline/expression-search';
import { Kind, type State, statesOf } from '../../../weights/tokenizer/pipeline/expression-states';
import type { Pattern } from '../../../weights/tokenizer/pipeline/match';
import { QUICK, readPattern } from '../../../weights/tokenizer/pipeline/pattern';
import { PART } from '../../../weights/tokenizer/steps';

const placesOf = (pattern: Pattern, text: string) =>
  [...pattern.find(text)].flatMap((match) => (match === undefined ? [] : [[match.index, match[0]]]));
const plainly = (source: string, text: string) =>
  [...text.matchAll(new RegExp(source, 'gu'))].map((match) => [match.index, match[0]]);
const isInsidePair = (text: string, at: number) => /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(at - 1, at + 1));
/** How often a search gives way: once for each part of its work. */
const partsOf = (pattern: Pattern, text: string) => [...pattern.find(text)].filter((one) => one === undefined).length;

/** The search of an expression, null where it is refused. */
function searchOf(source: string): Pattern | null {
  try {
    return linearPattern(source);
  } catch (error) {
    expect(error).toEqual(new SyntaxError('an optional group'));
    return null;
  }
}

const atom = fc.constantFrom('a', 'b', ' ', '[ab]', '[^a]', '[^\\n]', '\\p{L}', '😀', '\\.');
const repeat = fc.constantFrom('', '', '', '+', '*', '?', '{2,}', '{2}', '{0,2}', '+?', '*?', '??', '{1,3}?');
const item = fc.tuple(atom, repeat).map((both) => both.join(''));
const look = fc
  .tuple(fc.constantFrom('(?=', '(?!', '(?<=', '(?<!'), atom, fc.constantFrom('', '?', '{1,2}'), atom)
  .map(([opening, first, times, second]) => `${opening}${first}${times}${second}|b)`);
const { expression } = fc.letrec<{ expression: string; branch: string; part: string }>((tie) => ({
  expression: fc.array(tie('branch'), { minLength: 1, maxLength: 2 }).map((branches) => branches.join('|')),
  branch: fc.array(tie('part'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('')),
  part: fc.oneof(
    { depthSize: 'medium', maxDepth: 2 },
    { weight: 6, arbitrary: item },
    { weight: 1, arbitrary: look },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('(', '(?:'), tie('expression'), fc.constantFrom(')', ')?', ')??'))
        .map((all) => all.join('')),
    },
  ),
}));
/** Expressions of the form that JavaScript's own search is good for, and some that are nearly so. */
const simple = fc
  .array(fc.array(item, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
  .map((branches) => branches.map((items) => items.join('')).join('|'));

const runs = fc.tuple(fc.constantFrom('a', 'b', ' ', '😀', '\n', 'ab', '.', '\ud800'), fc.integer({ min: 1, max: 5 }));
const text = fc.array(runs, { maxLength: 5 }).map((all) => all.map(([unit, count]) => unit.repeat(count)).join(''));
/** Long runs, which a slow search reads again and again. */
const longText = fc
  .tuple(fc.constantFrom('a', ' ', 'ab', 'a '), fc.constantFrom('', 'b', '\n', '.'))
  .map(([unit, end]) => unit.repeat(1000) + end);

const LINES = '\\p{White_Space}*[\\r\\n]+|\\p{White_Space}+(?!\\P{White_Space})|\\p{White_Space}+';

/** The steps of a search that tries each way from each start, one after the other, as JavaScript's own does; `most` and more end it. */
function plainSteps(source: string, text: string, most: number): number {
  const { first } = statesOf(source);
  let steps = 0;
  const endOf = (start: number): number => {
    const waiting: [State, number][] = [[first, start]];
    for (let top = waiting.pop(); top !== undefined && steps < most; top = waiting.pop()) {
      let [state, at] = top;
      for (;;) {
        steps++;
        if (state.kind === Kind.End) return at;
        if (state.kind === Kind.Choice) waiting.push([state.other as State, at]);
        else {
          const test = state.test as RegExp;
          test.lastIndex = at;
          if (!test.test(text)) break;
          if (state.kind === Kind.Character) at = test.lastIndex;
        }
        state = state.next as State;
      }
    }
    return -1;
  };
  for (let start = 0; start <= text.length && steps < most; ) {
    const end = endOf(start);
    start = end > start ? end : start + 1;
  }
  return steps;
}

describe('an expression', () => {
  it('finds what JavaScript’s own search finds', () => {
    fc.assert(
      fc.property(expression, text, (source, text) => {
        const pattern = searchOf(source);
        const expected = plainly(source, text);
        // V8 looks between the halves of a pair too, which the language does not ask for.
        fc.pre(pattern !== null && !expected.some(([at]) => isInsidePair(text, at as number)));
        expect(placesOf(pattern, text)).toEqual(expected);
      }),
      { numRuns: 1500 },
    );
  });

  it('is read as the same expression, or refused because it matches nothing', () => {
    fc.assert(
      fc.property(fc.oneof(expression, simple), text, (source, text) => {
        fc.pre(searchOf(source) !== null);
        if (plainly(source, '').length > 0) {
          expect(() => readPattern({ Regex: source }, 'x')).toThrow(/^x: an expression that matches nothing /);
        } else {
          const expected = plainly(source, text);
          fc.pre(!expected.some(([at]) => isInsidePair(text, at as number)));
          expect(placesOf(readPattern({ Regex: source }, 'x'), text)).toEqual(expected);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('takes steps in proportion to its states and the text', () => {
    fc.assert(
      fc.property(expression, longText, (source, text) => {
        const pattern = searchOf(source);
        fc.pre(pattern !== null);
        const most = (4 * statesOf(source).count * (text.length + 1)) / PART + 1;
        expect(partsOf(pattern, text)).toBeLessThanOrEqual(most);
      }),
      { numRuns: 300 },
    );
  });

  it.each<[string, string]>([
    [' +x', ' '],
    [' *x', ' '],
    [' {2,}x', ' '],
    [' +?x', ' '],
    ['a+a+x', 'a'],
    ['a+b+c', 'a'],
    ['a+b|a', 'a'],
    ['(?:a|b)?[ab]+x', 'ab'],
    ['\\s*[\\r\\n]+', ' '],
    ['\\s*[\\r\\n]+| |\\s+', ' '],
    ['\\s+(?!\\s)x', ' '],
    ['(?:a|a)(?:a|a)(?:a|a)a*x', 'a'],
    [`${'a?'.repeat(30)}${'a'.repeat(30)}x`, 'a'],
    [`${'(?:a|a)'.repeat(30)}x`, 'a'],
    [`${'(?:a?|b?)'.repeat(60)}x`, 'a'],
  ])('%j takes steps in proportion to a text of many %j, and gives way', (Regex, unit) => {
    const long = unit.repeat(100_000);
    const parts = partsOf(readPattern({ Regex }, 'x'), long);
    expect(parts).toBeGreaterThan(1);
    expect(parts).toBeLessThanOrEqual((500 * long.length) / PART);
  });

  it('that is left to JavaScript’s own search takes steps in proportion to the text there', () => {
    let quick = 0;
    fc.assert(
      fc.property(fc.oneof(simple, expression), longText, (source, text) => {
        fc.pre(QUICK.test(source) && plainly(source, '').length === 0);
        quick++;
        const most = 3 * statesOf(source).count * (text.length + 1);
        expect(plainSteps(source, text, most + 1)).toBeLessThanOrEqual(most);
      }),
      { numRuns: 300 },
    );
    expect(quick).toBeGreaterThanOrEqual(300);
  });

  it.each([
    ' {2,}',
    ' ',
    '\\p{N}{1,3}',
    "'s|'t| ?\\p{L}+| ?[^\\p{White_Space}\\p{L}]+[\\r\\n]*",
    LINES,
    `[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|${LINES}`,
  ])('%j, which vocabularies have, is left to JavaScript’s own search', (source) => {
    expect(QUICK.test(source)).toBe(true);
    const most = 20 * 3001;
    for (const unit of [' ', 'a', '1', ' a', ' \n', '\n ', "'", '\r\n\r', ' .']) {
      for (const long of [unit.repeat(3000 / unit.length), `${'\n'.repeat(1500)}${unit.repeat(1500 / unit.length)}`]) {
        expect(plainSteps(source, long, most + 1)).toBeLessThanOrEqual(most);
      }
    }
  });

  it.each([' +x', `${LINES}|a`, `${LINES.replace('|', '| |')}`, 'a+?', 'a?b?c', '(a)', 'a(?=b)'])(
    '%j is not left to JavaScript’s own search',
    (source) => expect(QUICK.test(source)).toBe(false),
  );

  it('whose search is interrupted in one long try goes on with it', () => {
    const run = 'a'.repeat(3 * PART);
    const pattern = linearPattern('a+b|c');
    expect(placesOf(pattern, `${run}b${run}c`)).toEqual([
      [0, `${run}b`],
      [2 * run.length + 1, 'c'],
    ]);
    expect(partsOf(pattern, `${run}b`)).toBeGreaterThan(3);
  });
});
