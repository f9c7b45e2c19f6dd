import fc from 'fast-check';
import type { GenerateOptions, Input, Tandem } from '../../api';
import type { ForwardOptions } from '../../engine';
import type { TableModel } from '../support/table-model';
import { tableTandem } from '../support/table-tandem';

/** Targets of several calls. */
const MANY_TARGETS = Array.from({ length: 120 }, (_, i) => 'abcdef'.slice(i % 3, 3 + (i % 4)));

/** Ways to call, each with the options that belong to it. */
const CALLS = {
  'generate one': (tandem, options) => tandem.generate('abc', options),
  'generate many': (tandem, options) => tandem.generate(['abc', 'fed', 'a'], { ...options, concurrency: 2 }),
  samples: (tandem, options) => tandem.generate(['abc', 'fed'], { ...options, temperature: 1, numReturnSequences: 3 }),
  beams: (tandem, options) => tandem.generate(['abc', 'fed'], { ...options, numBeams: 3 }),
  compare: (tandem, options) => tandem.compare('abc', options),
  score: (tandem, { signal }) => tandem.score('abc', MANY_TARGETS, { signal }),
  measureCosts: (tandem, { signal }) => tandem.measureCosts('abc', { rows: 3, repeats: 1, signal }),
} satisfies Record<string, (tandem: Tandem, options: GenerateOptions) => Promise<unknown>>;

/** Ways to read a stream. */
const STREAMS: Record<string, { input: Input | readonly Input[]; options: GenerateOptions }> = {
  one: { input: 'abc', options: {} },
  many: { input: ['abc', 'fed', 'a', 'bcd'], options: { concurrency: 2 } },
  samples: { input: ['abc', 'fed'], options: { temperature: 1, numReturnSequences: 2 } },
  beams: { input: ['abc', 'fed'], options: { numBeams: 2 } },
};

/** Several rounds: a sequence that ended has given back before its last tokens are read. */
const LONG: GenerateOptions = { gamma: 1, minNewTokens: 7, maxNewTokens: 8 };

/** What ends a run, and after how many events or calls. */
interface End {
  readonly how: 'none' | 'abort' | 'dispose' | 'target fails' | 'draft fails' | 'encode fails' | 'processor fails';
  readonly after: number;
}

const ends: fc.Arbitrary<End> = fc.record({
  how: fc.constantFrom('none', 'abort', 'dispose', 'target fails', 'draft fails', 'encode fails', 'processor fails'),
  after: fc.nat(3),
});

/** The toy pair, set up so that the end comes from inside: a call of a model does what `end` says. */
function setUp(seed: number, end: End) {
  const controller = new AbortController();
  let calls = 0;
  let disposal: Promise<void> | null = null;
  const hit = () => {
    if (calls++ !== end.after) return;
    if (end.how === 'abort') controller.abort();
    if (end.how === 'dispose') disposal = toy.tandem.dispose();
    if (end.how === 'target fails') throw new Error('the target fails');
  };
  const around = (model: TableModel, role: 'target' | 'draft'): TableModel => ({
    ...model,
    encode: async (sources) => {
      if (end.how === 'encode fails' && (role === 'draft' || end.after % 2 === 0)) throw new Error('encoding fails');
      return model.encode(sources);
    },
    forward: (rows, options?: ForwardOptions) => {
      if (role === 'target') hit();
      if (role === 'draft' && end.how === 'draft fails' && calls >= end.after) throw new Error('the draft fails');
      return model.forward(rows, options);
    },
  });
  const toy = tableTandem({ seed, around });
  const settle = async () => {
    await disposal;
  };
  return { toy, controller, settle };
}

function processorsOf(end: End): Pick<GenerateOptions, 'processors'> {
  if (end.how !== 'processor fails') return {};
  let calls = 0;
  const fail = () => {
    if (calls++ === end.after) throw new Error('the processor fails');
  };
  return { processors: [fail] };
}

describe('whatever ends a call, its views, streams and encodings are given back', () => {
  it.each(Object.keys(CALLS) as (keyof typeof CALLS)[])('%s', async (name) => {
    const outcomes = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.nat(999), ends, async (seed, end) => {
        const { toy, controller, settle } = setUp(seed, end);
        const withProcessors = name !== 'beams' ? processorsOf(end) : {};
        const options = { ...LONG, signal: controller.signal, ...withProcessors };
        const outcome = await CALLS[name](toy.tandem, options).then(
          () => 'ended',
          (error: Error & { code?: string }) => error.code ?? error.message,
        );
        await settle();
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        expect(toy.open()).toBe(0);
      }),
      { numRuns: 150 },
    );
    expect(outcomes.get('ended')).toBeGreaterThan(10);
    for (const code of ['aborted', 'disposed']) expect(outcomes.get(code)).toBeGreaterThan(2);
  });

  const leaving = fc.constantFrom('break', 'throw', 'return', 'asyncDispose', 'text break', 'text throw');

  it.each(Object.keys(STREAMS))('a stream of %s that is left early', async (name) => {
    const { input, options } = STREAMS[name];
    let left = 0;
    let held = 0;
    let cut = 0;
    const inputs = Array.isArray(input) ? input.length : 1;
    await fc.assert(
      fc.asyncProperty(fc.nat(999), leaving, fc.nat(5), async (seed, how, after) => {
        const toy = tableTandem({ seed });
        const stream = toy.tandem.stream(input as Input, { ...LONG, ...options });
        const text = how.startsWith('text') && name === 'one';
        const items: AsyncIterable<unknown> = text ? stream.text : stream;
        let seen = 0;
        let done = 0;
        try {
          for await (const item of items) {
            if ((item as { kind?: string }).kind === 'done') done++;
            if (seen++ < after) continue;
            if (toy.open() > 0) held++;
            left++;
            if (how.endsWith('throw')) throw new Error('the caller fails');
            if (how === 'return') await stream.return();
            else if (how === 'asyncDispose') await stream[Symbol.asyncDispose]();
            else break;
          }
        } catch (error) {
          expect((error as Error).message).toBe('the caller fails');
        }
        expect(toy.open()).toBe(0);
        const outcome = await stream.result.then(
          () => 'whole',
          (error) => error.code,
        );
        const isWhole = text ? seen <= after : done === inputs;
        expect(outcome).toBe(isWhole ? 'whole' : 'aborted');
        if (outcome === 'aborted') cut++;
        expect(await stream.next()).toEqual({ done: true, value: undefined });
      }),
      { numRuns: 100 },
    );
    for (const count of [left, cut]) expect(count).toBeGreaterThan(20);
    if (name !== 'beams') expect(held).toBeGreaterThan(10); // a search has ended when its tokens come
  });

  it.each(Object.keys(STREAMS))('a stream of %s whose signal is aborted between two events', async (name) => {
    const { input, options } = STREAMS[name];
    let aborted = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(999), fc.nat(5), async (seed, after) => {
        const toy = tableTandem({ seed });
        const controller = new AbortController();
        const stream = toy.tandem.stream(input as Input, { ...LONG, ...options, signal: controller.signal });
        let isOver = false;
        for (let i = 0; i < after && !isOver; i++) isOver = (await stream.next()).done === true;
        controller.abort(new Error('enough'));
        await new Promise((resolve) => setTimeout(resolve, 0)); // nobody asks for another event
        expect(toy.open()).toBe(0);
        if (isOver) return;
        aborted++;
        await expect(stream.next()).rejects.toMatchObject({ code: 'aborted', cause: { message: 'enough' } });
        await expect(stream.result).rejects.toMatchObject({ code: 'aborted' });
      }),
      { numRuns: 60 },
    );
    expect(aborted).toBeGreaterThan(20);
  });

  it('dispose ends what is under way, whoever waits for it', async () => {
    const toy = tableTandem({ seed: 3 });
    const streams = ['abc', 'fed', 'bbb'].map((input) => toy.tandem.stream(input, LONG));
    for (const stream of streams) await stream.next();
    expect(toy.open()).toBeGreaterThanOrEqual(streams.length);
    const waiting = toy.tandem.generate('abc', LONG);
    await toy.tandem.dispose();
    expect(toy.open()).toBe(0);
    await expect(waiting).rejects.toMatchObject({ code: 'disposed' });
    for (const stream of streams) await expect(stream.next()).rejects.toMatchObject({ code: 'disposed' });
    await expect(toy.tandem.generate('abc')).rejects.toMatchObject({ code: 'disposed' });
    expect(() => toy.tandem.stream('abc')).toThrow(expect.objectContaining({ code: 'disposed' }));
    await toy.tandem.dispose(); // a second time does nothing
  });

  it('a call that was never read has taken nothing', async () => {
    const toy = tableTandem({ seed: 5 });
    toy.tandem.stream('abc');
    const left = toy.tandem.stream('abc');
    await left.return();
    expect(toy.target.calls()).toBe(0);
    const controller = new AbortController();
    controller.abort();
    await expect(toy.tandem.generate('abc', { signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
    expect(toy.target.calls()).toBe(0);
  });
});
