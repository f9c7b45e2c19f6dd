import { Harness } from './harness';

/** Runs specs with the page's harness in place of jest, whose globals come back afterwards. */
async function outcomesOf(
  declare: (page: Record<string, (...args: unknown[]) => never>) => void,
  onTest?: (title: string) => Promise<void>,
) {
  const globalsOfJest = { ...(globalThis as unknown as Record<string, unknown>) };
  const names = ['test', 'expect', 'describe', 'beforeAll', 'afterAll'];
  const harness = new Harness(onTest);
  harness.install();
  try {
    declare(globalThis as unknown as Record<string, (...args: unknown[]) => never>);
    return await harness.run();
  } finally {
    for (const name of names) Object.assign(globalThis, { [name]: globalsOfJest[name] });
  }
}

const failing: [
  string,
  (expectation: (value: unknown) => Record<string, (...args: unknown[]) => unknown>) => unknown,
][] = [
  ['toBe', (of) => of(0).toBe(-0)],
  ['toEqual', (of) => of([1, { a: 2 }]).toEqual([1, { a: 3 }])],
  ['toEqual with a key more', (of) => of({ a: 1 }).toEqual({ a: 1, b: 2 })],
  ['toBeNull', (of) => of(undefined).toBeNull()],
  ['toBeLessThan', (of) => of(2).toBeLessThan(2)],
  ['toBeLessThanOrEqual with NaN', (of) => of(Number.NaN).toBeLessThanOrEqual(2)],
  ['toBeGreaterThan', (of) => of(2).toBeGreaterThan(2)],
  ['toBeGreaterThanOrEqual', (of) => of(1).toBeGreaterThanOrEqual(2)],
  ['toHaveLength', (of) => of([1]).toHaveLength(2)],
  ['toMatch', (of) => of('abc').toMatch(/d/)],
  ['toMatch with a text', (of) => of('abc').toMatch('ac')],
  ['toMatchObject', (of) => of({ code: 'a' }).toMatchObject({ code: 'b' })],
  ['toBeInstanceOf', (of) => of(3).toBeInstanceOf(Error)],
  ['toThrow without a throw', (of) => of(() => 1).toThrow(Error)],
  ['toThrow with a pattern, without a throw', (of) => of(() => 1).toThrow(/null|undefined|a/)],
  ['toThrow with another message', (of) => of(fail).toThrow(/expected b/)],
  ['not.toThrow', (of) => (of(fail).not as unknown as { toThrow(): void }).toThrow()],
  ['not.toBe', (of) => (of(3).not as unknown as { toBe(value: number): void }).toBe(3)],
  ['rejects when nothing does', (of) => rejection(of(Promise.resolve(1)), { code: 'a' })],
  ['rejects with another code', (of) => rejection(of(Promise.reject({ code: 'b' })), { code: 'a' })],
];

function fail(): never {
  throw new Error('a');
}

function rejection(expectation: Record<string, unknown>, wanted: object): Promise<void> {
  return (expectation.rejects as { toMatchObject(value: object): Promise<void> }).toMatchObject(wanted);
}

describe('the harness that runs specs in a page', () => {
  test.each(failing)('%s fails where it should', async (_, body) => {
    const outcomes = await outcomesOf((page) => page.test('one', () => body(page.expect as never)));
    expect(outcomes).toHaveLength(1);
    expect(outcomes[0].error).toMatch(/expected/);
  });

  test('groups, hooks and each run in order, and every test is counted', async () => {
    const seen: string[] = [];
    const begun: string[] = [];
    const declare: Parameters<typeof outcomesOf>[0] = (page) => {
      page.describe('outer', () => {
        page.beforeAll(async () => seen.push('before'));
        page.afterAll(() => seen.push('after'));
        (page.test as unknown as typeof test).each([1, 2])('case %s', (n: number) => void seen.push(`case ${n}`));
        page.describe('inner', () =>
          page.test('breaks', () => {
            throw new Error('broken');
          }),
        );
      });
    };
    const outcomes = await outcomesOf(declare, async (title) => void begun.push(title));
    expect(begun).toEqual(outcomes.map(({ title }) => title));
    expect(seen).toEqual(['before', 'case 1', 'case 2', 'after']);
    expect(outcomes.map(({ title, error }) => [title, error?.trim() ?? null])).toEqual([
      ['outer › case 1', null],
      ['outer › case 2', null],
      ['outer › inner › breaks', 'broken'],
    ]);
  });
});
