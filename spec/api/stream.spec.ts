import fc from 'fast-check';
import type { Result, StreamEvent } from '../../api';
import { tableTandem } from '../support/table-tandem';

const OPTIONS = { maxNewTokens: 8, gamma: 4 };

const toyOf = fc.nat(999).map((seed) => tableTandem({ seed }));

describe('a stream', () => {
  it('gives its tokens in order, then the end with the result, which `result` and `generate` give too', async () => {
    await fc.assert(
      fc.asyncProperty(toyOf, async ({ tandem }) => {
        const stream = tandem.stream('abc', OPTIONS);
        const events: StreamEvent[] = [];
        for await (const event of stream) events.push(event);
        const end = events.pop();
        const result = await stream.result;
        expect(end).toEqual({ kind: 'done', index: 0, result });
        const tokens = events.flatMap((event) => (event.kind === 'token' ? [event] : []));
        expect(tokens).toHaveLength(events.length);
        expect(tokens.map(({ token }) => token)).toEqual(result.ids);
        expect(tokens.map(({ position }) => position)).toEqual(result.ids.map((_, i) => i));
        expect(tokens.map(({ text }) => text).join('')).toBe(result.text);
        expect(result.sequences).toEqual([{ text: result.text, ids: result.ids, stopReason: result.stopReason }]);
        const again = await tandem.generate('abc', OPTIONS);
        expect([again.text, again.ids, again.stopReason]).toEqual([result.text, result.ids, result.stopReason]);
      }),
      { numRuns: 50 },
    );
  });

  it('gives all events once to one loop after another, and whether or not the result was asked for before', async () => {
    await fc.assert(
      fc.asyncProperty(toyOf, fc.nat(6), fc.boolean(), async ({ tandem }, first, early) => {
        const whole: StreamEvent[] = [];
        for await (const event of tandem.stream('abc', OPTIONS)) whole.push(event);
        const stream = tandem.stream('abc', OPTIONS);
        const result = early ? stream.result : null;
        const events: StreamEvent[] = [];
        while (events.length < first) {
          const step = await stream.next();
          if (step.done) break;
          events.push(step.value);
        }
        for await (const event of stream) events.push(event);
        const timeless = (event: StreamEvent) => (event.kind === 'done' ? event.result.ids : event);
        expect(events.map(timeless)).toEqual(whole.map(timeless));
        expect((await (result ?? stream.result)).ids).toEqual((await stream.result).ids);
      }),
      { numRuns: 50 },
    );
  });

  it('answers several who ask at the same time, each with an event of its own', async () => {
    const { tandem } = tableTandem({ seed: 5 });
    const stream = tandem.stream('abc', { ...OPTIONS, minNewTokens: 4 });
    const [steps, result] = await Promise.all([
      Promise.all([stream.next(), stream.next(), stream.next()]),
      stream.result,
    ]);
    const tokens = steps.map(({ value }) => (value?.kind === 'token' ? value.token : null));
    expect(tokens).toEqual(result.ids.slice(0, 3));
  });

  it('has a text, in pieces none of which is empty', async () => {
    await fc.assert(
      fc.asyncProperty(toyOf, async ({ tandem }) => {
        const stream = tandem.stream('abc', OPTIONS);
        const pieces: string[] = [];
        for await (const text of stream.text) pieces.push(text);
        expect(pieces).not.toContain('');
        expect(pieces.join('')).toBe((await stream.result).text);
      }),
      { numRuns: 50 },
    );
  });

  it('has no text of several inputs or sequences, and says so', () => {
    const { tandem } = tableTandem({ seed: 1 });
    const refused = expect.objectContaining({ code: 'argument-invalid' });
    expect(() => tandem.stream(['abc', 'a']).text).toThrow(refused);
    expect(() => tandem.stream('abc', { temperature: 1, numReturnSequences: 2 }).text).toThrow(refused);
    expect(() => tandem.stream(['abc']).text).not.toThrow();
  });

  it('of one input throws what the input is to blame for, while reading and as the result', async () => {
    const { tandem, open } = tableTandem({ seed: 1 });
    const fail = () => {
      throw new RangeError('of the caller');
    };
    const stream = tandem.stream('abc', { processors: [fail] });
    await expect(stream.next()).rejects.toThrow('of the caller');
    await expect(stream.next()).rejects.toThrow('of the caller'); // again each time
    await expect(stream.result).rejects.toThrow('of the caller');
    expect(open()).toBe(0);
  });

  it('of many inputs has a result or an error for each, in their order', async () => {
    const { tandem } = tableTandem({ seed: 1 });
    const inputs = ['abc', '', 'fed', [2, 99]];
    const results = await tandem.stream(inputs, OPTIONS).result;
    expect(results.map(({ error }) => (error as { code?: string } | undefined)?.code)).toEqual([
      undefined,
      'source-invalid',
      undefined,
      undefined,
    ]);
    expect((results[2] as Result).text).toBe((await tandem.generate('fed', OPTIONS)).text);
  });

  it('whose result nobody waits for leaves no rejection unhandled', async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', listen);
    const { tandem } = tableTandem({ seed: 1 });
    const stream = tandem.stream('');
    void stream.result;
    await expect(stream.next()).rejects.toMatchObject({ code: 'source-invalid' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off('unhandledRejection', listen);
    expect(unhandled).toEqual([]);
  });
});
