import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { outputFile } from '../../../cli/batch/output';
import type { Line } from '../../../cli/files';
import { TandemError } from '../../../common';
import { get, put, recordsIn, runInto, StubDecoder, scratch, wholeOf } from './stub';

const folder = scratch();
const out = join(folder, 'out.jsonl');

/** Lines that are right, wrong, blank, and with and without ids; the text is of several bytes a character too. */
const lines = fc.array(
  fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => JSON.stringify(text)),
    fc.record({ id: fc.oneof(fc.nat(), fc.string()), input: fc.string() }).map((line) => JSON.stringify(line)),
    fc.constantFrom('', '   ', '"bad"', 'no JSON', '[1,2]', '{"input":7}', `"${'x'.repeat(1001)}"`),
  ),
  { maxLength: 12 },
);
const shards = fc
  .integer({ min: 1, max: 4 })
  .chain((of) => fc.record({ part: fc.integer({ min: 1, max: of }), of: fc.constant(of) }));

describe('a batch', () => {
  it('that was killed at any byte goes on to the bytes of a run that was not: no line is lost, none is there twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        lines,
        shards,
        fc.array(fc.noBias(fc.nat(9999)), { minLength: 1, maxLength: 3 }),
        async (all, shard, cuts) => {
          const text = all.join('\n');
          const whole = Buffer.from(await wholeOf(out, text, { shard }));
          for (const cut of cuts) {
            put(out, whole.subarray(0, Math.round((cut / 10_000) * whole.length)));
            await runInto(out, text, { shard });
            expect(get(out)).toBe(whole.toString());
          }
        },
      ),
      { numRuns: 80 },
    );
  });

  it('writes records in the order of the lines, whichever is ready first', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(3), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 8 }),
        async (delays, window) => {
          const decoder = new StubDecoder(async (input) => {
            for (let turn = 0; turn < delays[Number(input)]; turn++)
              await new Promise((resolve) => setImmediate(resolve));
          });
          const written = await wholeOf(out, delays.map((_, i) => `"${i}"`).join('\n'), { decoder, window });
          expect(recordsIn(written).map(({ line }) => line)).toEqual(delays.map((_, i) => i + 1));
          expect(decoder.most).toBeLessThanOrEqual(window);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('reads no further ahead than its window, however long the input is', async () => {
    const [count, window] = [5000, 16];
    let [read, written, ahead] = [0, 0, 0];
    async function* many(): AsyncGenerator<Line> {
      for (; read < count; read++) {
        ahead = Math.max(ahead, read - written);
        yield { number: read + 1, text: '"Jesus wept."' };
      }
    }
    const watcher = { passed: () => undefined, recorded: () => written++ };
    const output = { last: null, write: async () => undefined, close: () => undefined };
    const decoder = new StubDecoder(() => new Promise((resolve) => setImmediate(resolve)));
    await runInto(out, '', { lines: many, watcher, window, output, decoder });
    expect(written).toBe(count);
    expect(ahead).toBeGreaterThanOrEqual(window - 1);
    expect(ahead).toBeLessThanOrEqual(window + 1);
  });

  it('writes what is ready while more input is awaited: an engine may wait for answers before it asks on', async () => {
    let more: () => void = () => undefined;
    async function* slow(): AsyncGenerator<Line> {
      yield { number: 1, text: '"first"' };
      await new Promise<void>((resolve) => {
        more = resolve;
      });
      yield { number: 2, text: '"second"' };
    }
    const seen: string[] = [];
    const output = {
      last: null,
      close: () => undefined,
      write: async (record: string) => {
        seen.push(JSON.parse(record).text);
        more();
      },
    };
    await runInto(out, '', { lines: slow, output });
    expect(seen).toEqual(['first by main', 'second by line 2']);
  });

  it('in shards has the records of the whole, in turns', async () => {
    await fc.assert(
      fc.asyncProperty(lines, fc.integer({ min: 1, max: 5 }), async (all, of) => {
        const text = all.join('\n');
        const whole = recordsIn(await wholeOf(out, text));
        const parts: unknown[][] = [];
        for (let part = 1; part <= of; part++) parts.push(recordsIn(await wholeOf(out, text, { shard: { part, of } })));
        expect(whole.map((_, i) => parts[i % of][Math.floor(i / of)])).toEqual(whole);
        expect(parts.flat()).toHaveLength(whole.length);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a batch that ends early', () => {
  it('after a cancel has the records that were finished, and goes on from them', async () => {
    const text = Array.from({ length: 20 }, (_, i) => `"${i}"`).join('\n');
    const whole = await wholeOf(out, text);
    const stop = new AbortController();
    let done = 0;
    const watcher = { passed: () => undefined, recorded: () => ++done === 7 && stop.abort() };
    put(out, '');
    await expect(runInto(out, text, { watcher, signal: stop.signal })).rejects.toThrow(/abort|cancel/);
    expect(whole.startsWith(get(out))).toBe(true);
    expect(recordsIn(get(out))).toHaveLength(7);
    await runInto(out, text);
    expect(get(out)).toBe(whole);
  });

  it('by an error that no line is to blame for keeps it out of the records, names the line, and goes on later', async () => {
    const text = Array.from({ length: 9 }, (_, i) => `"${i}"`).join('\n');
    const whole = await wholeOf(out, text);
    for (const error of [new TandemError('device-lost', 'gone'), new Error('a bug')]) {
      const decoder = new StubDecoder((input) => {
        if (input === '5') throw error;
      });
      put(out, '');
      await expect(runInto(out, text, { decoder })).rejects.toThrow(/^line 6: (gone|a bug); the records before/);
      expect(get(out)).not.toContain('error');
      expect(recordsIn(get(out))).toHaveLength(5);
      await runInto(out, text);
      expect(get(out)).toBe(whole);
    }
  });

  it('by an input that breaks off has the records of the lines before', async () => {
    async function* broken(): AsyncGenerator<Line> {
      yield { number: 1, text: '"first"' };
      throw new TandemError('io-failed', 'the disk is gone');
    }
    put(out, '');
    await expect(runInto(out, '', { lines: broken })).rejects.toThrow('the disk is gone');
    expect(recordsIn(get(out))).toHaveLength(1);
  });

  it('by an output that fails reads no further', async () => {
    let read = 0;
    async function* endless(): AsyncGenerator<Line> {
      for (;;) yield { number: ++read, text: '"a"' };
    }
    const write = () => Promise.reject(new TandemError('io-failed', 'ENOSPC'));
    const output = { last: null, write, close: () => undefined };
    await expect(runInto(out, '', { lines: endless, output })).rejects.toThrow('ENOSPC');
    expect(read).toBeLessThanOrEqual(6);
  });
});

describe('a file of records', () => {
  const text = '"a"\n"b"\n"c"';

  it.each<[string, string, Parameters<typeof runInto>[2]]>([
    ['of another input', '"a"\n"B"\n"c"', {}],
    ['of another order', '"b"\n"a"\n"c"', {}],
    ['of a longer input', '"a"', {}],
    ['of other settings', text, { settings: '{"temperature":1}' }],
    ['of another shard', text, { shard: { part: 1, of: 2 } }],
  ])('%s is refused, and stays as it is', async (_, other, changes) => {
    const two = (await wholeOf(out, text)).split('\n').slice(0, 2).join('\n');
    put(out, `${two}\n`);
    await expect(runInto(out, other, changes)).rejects.toThrow(
      /--out: expected records of this input.*line 2 was another/,
    );
    expect(get(out)).toBe(`${two}\n`);
  });

  it.each(['my notes', 'my notes\n', '{"line":"x"}\n', '{"a":1}\n{"b":2}\n', '[1]\n'])(
    'is none where it has %j: it is refused and not touched',
    async (found) => {
      put(out, found);
      await expect(runInto(out, text)).rejects.toThrow(/expected records of tandem batch, found/);
      expect(get(out)).toBe(found);
    },
  );

  it('that another process writes to is left alone', async () => {
    put(out, '');
    const output = await outputFile(out);
    await output.write('{"line":1,"hash":"x"}\n');
    appendFileSync(out, 'more');
    await expect(output.write('{"line":2,"hash":"x"}\n')).rejects.toThrow(/another process writes to it/);
    output.close();
    expect(get(out)).toBe('{"line":1,"hash":"x"}\nmore');
  });
});

describe('a line', () => {
  it('has its own options and a name of its own, on which its random numbers depend', async () => {
    const decoder = new StubDecoder();
    const text = '"a"\n{"id":"k","input":"b","options":{"temperature":1,"seed":3}}\n{"id":7,"input":[5,1]}';
    const options = { temperature: 0.5, maxNewTokens: 9 };
    await wholeOf(out, text, { decoder, options });
    const asked = decoder.asked.map(({ input, options: { signal: _, ...given } }) => ({ input, ...given }));
    expect(asked).toEqual([
      { input: 'a', ...options, sequence: 'main' },
      { input: 'b', ...options, temperature: 1, seed: 3, sequence: 'id "k"' },
      { input: [5, 1], ...options, sequence: 'id 7' },
    ]);
  });

  it('that asks for a beam search waits for the one before it', async () => {
    const decoder = new StubDecoder(() => new Promise((resolve) => setImmediate(resolve)));
    const text = Array.from({ length: 6 }, () => '{"input":"a","options":{"numBeams":2}}').join('\n');
    expect(recordsIn(await wholeOf(out, text, { decoder }))).toHaveLength(6);
    expect(decoder.most).toBe(1);
  });

  it.each<[string, RegExp]>([
    ['nope', /^line 1: expected JSON: text.*found 'nope'$/],
    ['7', /expected text or token ids as input, found 7$/],
    ['[]', /expected text or token ids as input, found \[\]$/],
    ['[1.5]', /expected text or token ids as input/],
    ['null', /expected text or token ids as input, found null$/],
    ['{}', /expected text or token ids as input, found undefined$/],
    ['{"input":"a","prompt":"b"}', /expected the members id, input, options, found 'prompt'$/],
    ['{"input":"a","id":1.5}', /expected text or a whole number below 2\^53 as id, found 1.5$/],
    ['{"input":"a","id":12345678901234567890}', /whole number below 2\^53 as id/],
    ['{"input":"a","options":{"temprature":1}}', /unknown option 'temprature'; did you mean 'temperature'\?$/],
    ['{"input":"a","options":{"temperature":"hot"}}', /temperature: expected a number from 0 up, found 'hot'$/],
    ['{"input":"a","options":{"concurrency":2}}', /found 'concurrency': it is of the whole run/],
    ['{"input":"a","options":{"doSample":true}}', /found 'doSample'/],
    ['{"input":"a","options":[]}', /expected an object of options/],
  ])('%s: its record says what is wrong, and the next line is decoded', async (line, message) => {
    const [first, second] = recordsIn(await wholeOf(out, `${line}\n"fine"`));
    expect(first.error.message).toMatch(message);
    expect(second.text).toBe('fine by line 2');
  });

  it.each<[string, string, RegExp]>([
    ['nests too deep', `${'['.repeat(100)}${']'.repeat(100)}`, /^line 1: expected JSON/],
    ['is too long', `"${'x'.repeat(2000)}"`, /expected at most 1000 bytes, found more$/],
  ])('that %s has a record with an error, and the next line is decoded', async (_, line, message) => {
    const [first, second] = recordsIn(await wholeOf(out, `${line}\n"fine"`));
    expect(first.error.message).toMatch(message);
    expect(second.text).toBe('fine by line 2');
  });

  it('of bytes that are no UTF-8 has a record with an error', async () => {
    const bytes = Buffer.concat([Buffer.from('"a"\n"'), Buffer.from([0xff, 0xfe]), Buffer.from('"\n"c"\n')]);
    const [, second, third] = recordsIn(await wholeOf(out, bytes));
    expect(second.error.code).toBe('source-invalid');
    expect(third.line).toBe(3);
  });
});
