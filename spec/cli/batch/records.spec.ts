/** What a line of a batch asks for, and what its record says. */
import fc from 'fast-check';
import { GENERATE_OPTIONS } from '../../../api';
import { jobOf, LINE_OPTIONS, recordOf, settingsText, type Work } from '../../../cli/batch/records';
import { TandemError } from '../../../common';

const SETTINGS = settingsText(['target', null], {});
const jobFrom = (value: unknown, number = 1) => jobOf({ number, text: JSON.stringify(value) }, SETTINGS);
/** The message for a line that is refused. */
const refusal = (value: unknown, number = 1): string => {
  const { work } = jobFrom(value, number);
  expect(work).toBeInstanceOf(TandemError);
  return (work as TandemError).message;
};

describe('the settings that a record depends on', () => {
  const options = fc.dictionary(fc.constantFrom('gamma', 'seed', 'temperature', 'topK', 'topP'), fc.nat(3));

  it('are the same in any order of the options, and different for different models or values', () => {
    fc.assert(
      fc.property(options, options, (one, other) => {
        const reversed = Object.fromEntries(Object.entries(one).reverse());
        expect(settingsText(['a', 'b'], reversed)).toBe(settingsText(['a', 'b'], one));
        const sorted = (of: object) => JSON.stringify(Object.entries(of).sort());
        expect(settingsText(['a', null], other) === settingsText(['a', null], one)).toBe(sorted(one) === sorted(other));
        expect(settingsText(['a', 'c'], one)).not.toBe(settingsText(['a', 'b'], one));
      }),
    );
  });

  it('and the text of the line make its hash', () => {
    const texts = ['"a"', '"b"', ' "a"'];
    const settings = [SETTINGS, settingsText(['target', 'draft'], {})];
    const hashes = settings.flatMap((of) => texts.map((text) => jobOf({ number: 1, text }, of).hash));
    expect(new Set(hashes).size).toBe(6);
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{16}$/);
    expect(jobOf({ number: 9, text: '"a"' }, SETTINGS).hash).toBe(hashes[0]);
  });
});

describe('a line of a batch', () => {
  it('is text, ids, or an object of them with an id and options', () => {
    const ask = (value: unknown) => {
      const { line, id, work } = jobFrom(value, 3);
      expect([line, work]).toEqual([3, expect.not.objectContaining({ code: expect.anything() })]);
      return [id, (work as Work).input, (work as Work).options];
    };
    expect(ask('a')).toEqual([null, 'a', {}]);
    expect(ask('')).toEqual([null, '', {}]);
    expect(ask([5, 6])).toEqual([null, [5, 6], {}]);
    expect(ask({ input: 'a', id: null })).toEqual([null, 'a', {}]);
    expect(ask({ input: [1], id: 0, options: { seed: 4 } })).toEqual([0, [1], { seed: 4 }]);
    expect(ask({ input: 'a', id: '' })).toEqual(['', 'a', {}]);
    expect(ask({ input: 'a', id: Number.MAX_SAFE_INTEGER })[0]).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('of something else is refused with its number, what was expected and what was found', () => {
    for (const input of [[], [1.5], ['a'], [1, null], null, true, 3, undefined])
      expect(refusal({ input })).toMatch(/^line 1: expected text or token ids as input, found /);
    for (const id of [1.5, true, {}, 2 ** 53, [1]])
      expect(refusal({ input: 'a', id }, 7)).toMatch(
        /^line 7: expected text or a whole number below 2\^53 as id, found /,
      );
    expect(refusal({ input: 'a', other: 1 })).toBe("line 1: expected the members id, input, options, found 'other'");
    expect(refusal({ input: 'a', options: 1 })).toMatch(/^line 1: options: expected an object of options, found 1$/);
    const broken = jobOf({ number: 2, text: '{"input":' }, SETTINGS);
    expect([broken.id, String(broken.work)]).toEqual([
      null,
      expect.stringMatching(/line 2: expected JSON: text, .*found '\{"input":'$/),
    ]);
    const error = new TandemError('source-invalid', 'no text') as never;
    expect(jobOf({ number: 4, error }, SETTINGS)).toMatchObject({ line: 4, id: null, work: error });
  });

  it('keeps its id where the rest is refused', () => {
    expect(jobFrom({ id: 'x', input: 3 })).toMatchObject({ id: 'x', work: { code: 'source-invalid' } });
  });

  it('may set what is data and its own; every other option of generate is refused with the reason', () => {
    const others = Object.keys(GENERATE_OPTIONS).filter((name) => !Object.hasOwn(LINE_OPTIONS, name));
    expect(others.sort()).toEqual(['concurrency', 'prefixAllowedTokens', 'processors', 'sequence', 'signal', 'trace']);
    for (const name of others)
      expect(refusal({ input: 'a', options: { [name]: 1 } })).toMatch(
        new RegExp(`options: .*'${name}': (it|they|the id) .{6,}$`),
      );
  });
});

describe('a record', () => {
  const job = { ...jobFrom('a'), line: 5, hash: 'h' };
  const read = (id: string | number | null, outcome: unknown) => JSON.parse(recordOf({ ...job, id }, outcome as never));
  const one = { text: 't', ids: [1], stopReason: 'eos' };

  it('says the line, the id where there is one, and what came of it', () => {
    expect(read(null, { ...one, sequences: [{}] })).toEqual({ line: 5, hash: 'h', ...one });
    expect(read(0, { ...one, sequences: [{}] })).toEqual({ line: 5, id: 0, hash: 'h', ...one });
    expect(read('', { ...one, sequences: [{ logProbs: [-1] }] })).toEqual({
      line: 5,
      id: '',
      hash: 'h',
      ...one,
      logProbs: [-1],
    });
    const sequences = [{ text: 't', logProbs: [-1] }, { text: 'u' }];
    expect(read(null, { ...one, sequences })).toEqual({ line: 5, hash: 'h', ...one, sequences });
  });

  it('of an error has its code, null where it has none', () => {
    expect(read(1, new TandemError('token-invalid', 'a\nb'))).toEqual({
      ...{ line: 5, id: 1, hash: 'h', error: { code: 'token-invalid', message: expect.stringMatching(/^a.*b$/) } },
    });
    expect(read(null, new Error('x')).error).toEqual({ code: null, message: 'x' });
  });
});
