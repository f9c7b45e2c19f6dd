import fc from 'fast-check';
import type { GenerateOptions, Result, StreamEvent, Tandem } from '../../index';
import { tableTandem } from '../support/table-tandem';

const text = fc.stringMatching(/^[a-f]{1,6}$/);

/** What a caller asks for, and how many turns of the event loop after the one before. */
interface Ask {
  readonly inputs: readonly string[];
  readonly options: GenerateOptions;
  readonly later: number;
  /** Events after which the caller goes away; null: none. */
  readonly leaves: number | null;
}

const sampled = fc.record({
  temperature: fc.constantFrom(0.7, 1),
  seed: fc.nat(9),
  numReturnSequences: fc.integer({ min: 1, max: 3 }),
  verification: fc.constantFrom('token' as const, 'block' as const, 'coupled' as const),
});
const options = fc
  .tuple(
    fc.record(
      {
        maxNewTokens: fc.integer({ min: 1, max: 12 }),
        gamma: fc.oneof(
          { weight: 5, arbitrary: fc.integer({ min: 0, max: 5 }) },
          { weight: 1, arbitrary: fc.constant(undefined) },
        ),
        speculative: fc.boolean(),
        concurrency: fc.integer({ min: 1, max: 3 }),
        stop: fc.constant(['ab', 'e']),
        logProbs: fc.integer({ min: 0, max: 2 }),
      },
      { requiredKeys: ['gamma'] },
    ),
    fc.oneof(fc.constant({}), sampled, fc.record({ numBeams: fc.constant(2) })),
  )
  .map(([common, way]): GenerateOptions => {
    const { stop: _stop, logProbs: _logProbs, ...rest } = common;
    return { ...('numBeams' in way ? rest : common), ...way };
  });
const ask: fc.Arbitrary<Ask> = fc.record({
  inputs: fc.array(text, { minLength: 1, maxLength: 3 }),
  options,
  later: fc.nat(2),
  leaves: fc.option(fc.nat(3), { freq: 3 }),
});

/** A result without what clocks decide: its times, and its rounds where γ follows them. */
const timeless = (result: Result | { readonly error: Error }, { gamma }: GenerateOptions) => {
  if (result.error) return String(result.error);
  const { metrics, beams: _beams, ...rest } = result;
  const { newTokens, rounds, proposed, accepted } = metrics;
  return gamma === undefined ? { ...rest, newTokens } : { ...rest, newTokens, rounds, proposed, accepted };
};

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** The results of a caller who stays, with the events' text; null of one who leaves. */
async function answer(tandem: Tandem, { inputs, options, leaves }: Ask): Promise<unknown> {
  const run = tandem.stream(inputs, options);
  const events: StreamEvent[] = [];
  for await (const event of run) {
    events.push(event);
    if (leaves !== null && events.length > leaves) return null;
  }
  const texts = inputs.map((_, index) =>
    events
      .map((event) => (event.kind === 'token' && event.index === index && event.sequence === 0 ? event.text : ''))
      .join(''),
  );
  return { results: (await run.result).map((result) => timeless(result, options)), texts };
}

describe('continuous batching', () => {
  test('callers come and go: each answer is what it is alone, and everything is given back', async () => {
    let stayed = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(ask, { minLength: 2, maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        async (asks, size) => {
          const shared = tableTandem({ seed: 5, continuousBatching: size });
          const alone = tableTandem({ seed: 5 });
          const answers: Promise<unknown>[] = [];
          for (const one of asks) {
            await turns(one.later);
            answers.push(answer(shared.tandem, one));
          }
          const found = await Promise.all(answers);
          for (const [i, one] of asks.entries()) {
            if (one.leaves !== null) continue;
            stayed++;
            expect(found[i]).toEqual(await answer(alone.tandem, one));
          }
          await shared.tandem.dispose();
          expect(shared.open()).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
    expect(stayed).toBeGreaterThan(60);
  });

  test('sequences of several calls are in one call of the target', async () => {
    const shared = tableTandem({ seed: 5, continuousBatching: 4 });
    const settings = { maxNewTokens: 6, minNewTokens: 6, gamma: 0 };
    await Promise.all(['a', 'b', 'c', 'd'].map((input) => shared.tandem.generate(input, settings)));
    expect(shared.target.calls()).toBeLessThan(6 + 3); // one after the other they are 24
  });

  test('a caller with many inputs does not keep out one with a single input', async () => {
    const { tandem } = tableTandem({ seed: 5, continuousBatching: 2 });
    const settings = { maxNewTokens: 8, minNewTokens: 8 };
    const ended: string[] = [];
    const many = tandem.generate(new Array<string>(20).fill('abc'), settings).then(() => ended.push('many'));
    const one = tandem.generate('d', settings).then(() => ended.push('one'));
    await Promise.all([many, one]);
    expect(ended).toEqual(['one', 'many']);
  });

  test('an input that fails does so alone; a cancelled call ends at once; dispose ends all', async () => {
    const { tandem, open } = tableTandem({ seed: 5, continuousBatching: 4 });
    const [bad, good] = await tandem.generate(['zzz', 'abc'], { maxNewTokens: 3 });
    expect([bad.error, good.error]).toEqual([expect.objectContaining({ code: 'source-invalid' }), undefined]);
    const abort = new AbortController();
    const endless = { minNewTokens: 5000, maxNewTokens: 5000 };
    const [cancelled, left] = [{ ...endless, signal: abort.signal }, endless].map((options) =>
      tandem.generate('abc', options).catch((error) => error.code),
    );
    await turns(3);
    abort.abort();
    expect(await cancelled).toBe('aborted');
    await tandem.dispose();
    expect([await left, open()]).toEqual(['disposed', 0]);
  });

  test('an error of a shared call is told to everybody in it, and the next caller is served', async () => {
    let broken = false;
    const { tandem, open } = tableTandem({
      seed: 5,
      continuousBatching: 4,
      around: (model) => ({
        ...model,
        forward: (rows, options) => (broken ? Promise.reject(new Error('lost')) : model.forward(rows, options)),
      }),
    });
    broken = true;
    const failed = await Promise.all(['a', 'b'].map((input) => tandem.generate(input).catch((error) => error.message)));
    expect(failed).toEqual(['lost', 'lost']);
    broken = false;
    expect((await tandem.generate('a', { maxNewTokens: 2 })).ids.length).toBeGreaterThan(0);
    await tandem.dispose();
    expect(open()).toBe(0);
  });
});
