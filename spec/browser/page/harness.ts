/**
 * The part of jest that the specs in a page use. `describe` and `test` collect the specs, `run` runs them one after another.
 * Comparisons are as strict as jest's: Object.is for values, key by key for objects.
 */
export interface Outcome {
  readonly title: string;
  /** What went wrong, or null. */
  readonly error: string | null;
}

type Body = (...args: never[]) => unknown;

interface Group {
  readonly title: string;
  readonly before: (() => unknown)[];
  readonly after: (() => unknown)[];
  readonly steps: (() => Promise<void>)[];
}

export class Harness {
  /** @param onTest is told the title of each test before it runs. */
  constructor(private readonly onTest: (title: string) => Promise<void> = async () => undefined) {}

  private readonly outcomes: Outcome[] = [];
  private readonly path: Group[] = [];
  private readonly root: Group = { title: '', before: [], after: [], steps: [] };

  /** Sets the globals that specs expect: describe, test, expect, beforeAll, afterAll. */
  install(): void {
    const test = Object.assign((title: string, body: Body) => this.test(title, () => (body as () => unknown)()), {
      each: (cases: readonly unknown[]) => (title: string, body: Body) => {
        for (const one of cases) {
          const args = (Array.isArray(one) ? one : [one]) as never[];
          this.test(title.replace('%s', String(args[0])), () => body(...args));
        }
      },
    });
    const group = () => this.path[this.path.length - 1] ?? this.root;
    Object.assign(globalThis, {
      test,
      expect,
      describe: (title: string, body: () => void) => this.describe(title, body),
      beforeAll: (body: () => unknown) => group().before.push(body),
      afterAll: (body: () => unknown) => group().after.push(body),
    });
  }

  /** Runs every spec. A test that throws is an outcome with an error; a hook that throws rejects. */
  async run(): Promise<Outcome[]> {
    await this.runGroup(this.root);
    return this.outcomes;
  }

  private describe(title: string, body: () => void): void {
    const parent = this.path[this.path.length - 1] ?? this.root;
    const group: Group = { title, before: [], after: [], steps: [] };
    this.path.push(group);
    body();
    this.path.pop();
    parent.steps.push(() => this.runGroup(group));
  }

  private test(title: string, body: () => unknown): void {
    const full = [...this.path.map((group) => group.title), title].join(' › ');
    const parent = this.path[this.path.length - 1] ?? this.root;
    parent.steps.push(async () => {
      await this.onTest(full);
      let error: string | null = null;
      try {
        await body();
      } catch (thrown) {
        error = thrown instanceof Error ? `${thrown.message}\n${String(thrown.cause ?? '')}` : String(thrown);
      }
      this.outcomes.push({ title: full, error });
    });
  }

  private async runGroup({ before, steps, after }: Group): Promise<void> {
    for (const body of before) await body();
    for (const step of steps) await step();
    for (const body of after) await body();
  }
}

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const keys = Object.keys(a);
  const rest = Object.keys(b);
  return keys.length === rest.length && keys.every((key) => same(a[key as never], b[key as never]));
}

const show = (value: unknown): string => JSON.stringify(value) ?? String(value);

function check(holds: boolean, found: unknown, word: string, wanted: unknown): void {
  if (!holds) throw new Error(`expected ${show(found)} ${word} ${show(wanted)}`);
}

function matches(found: unknown, wanted: Record<string, unknown>): boolean {
  return Object.entries(wanted).every(([key, value]) => same((found as Record<string, unknown>)[key], value));
}

/** A pattern of the message, or a class. */
type Thrown = RegExp | (new () => unknown);

/** @param thrown null when nothing was thrown */
function checkThrown(thrown: unknown, wanted: Thrown): void {
  const holds =
    wanted instanceof RegExp ? thrown !== null && fits((thrown as Error).message, wanted) : thrown instanceof wanted;
  check(holds, String(thrown), 'to be thrown as', wanted instanceof RegExp ? String(wanted) : wanted.name);
}

function expect(found: unknown) {
  const number = found as number;
  return {
    toBe: (wanted: unknown) => check(Object.is(found, wanted), found, 'to be', wanted),
    toEqual: (wanted: unknown) => check(same(found, wanted), found, 'to equal', wanted),
    toBeNull: () => check(found === null, found, 'to be', null),
    toBeGreaterThan: (wanted: number) => check(number > wanted, found, '>', wanted),
    toBeGreaterThanOrEqual: (wanted: number) => check(number >= wanted, found, '≥', wanted),
    toBeLessThan: (wanted: number) => check(number < wanted, found, '<', wanted),
    toBeLessThanOrEqual: (wanted: number) => check(number <= wanted, found, '≤', wanted),
    toHaveLength: (wanted: number) => check((found as string).length === wanted, found, 'to have length', wanted),
    toMatch: (wanted: RegExp | string) => check(fits(found, wanted), found, 'to match', String(wanted)),
    toMatchObject: (wanted: Record<string, unknown>) => check(matches(found, wanted), found, 'to match', wanted),
    toBeInstanceOf: (wanted: new () => unknown) => check(found instanceof wanted, found, 'to be a', wanted.name),
    toThrow: (wanted: Thrown) => checkThrown(thrownBy(found), wanted),
    not: {
      toBe: (wanted: unknown) => check(!Object.is(found, wanted), found, 'not to be', wanted),
      toThrow: () => check(thrownBy(found) === null, String(thrownBy(found)), 'not to be', 'thrown'),
    },
    rejects: {
      toThrow: async (wanted: Thrown) => {
        const reason = await (found as Promise<unknown>).then(
          () => null,
          (error: unknown) => error,
        );
        checkThrown(reason, wanted);
      },
      toMatchObject: async (wanted: Record<string, unknown>) => {
        const reason = await (found as Promise<unknown>).then(
          () => ({ name: 'nothing thrown' }),
          (error: unknown) => error,
        );
        check(matches(reason, wanted), String(reason), 'to match', wanted);
      },
    },
  };
}

function fits(found: unknown, wanted: RegExp | string): boolean {
  return typeof wanted === 'string' ? String(found).includes(wanted) : wanted.test(String(found));
}

function thrownBy(body: unknown): unknown {
  try {
    (body as () => unknown)();
    return null;
  } catch (error) {
    return error;
  }
}
