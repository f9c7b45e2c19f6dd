import fc from 'fast-check';
import { exitCodeOf, oneLine } from '../../cli/failure';
import { jsonLine, shown } from '../../cli/terminal';
import { TandemError } from '../../common';

const CONTROL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const binary = fc.string({ unit: 'binary' });

describe('text of a model, a file or a hub', () => {
  it('has no control character on a terminal, and is unchanged in a pipe', () => {
    fc.assert(
      fc.property(binary, (text) => {
        expect(shown(text, true)).not.toMatch(CONTROL);
        expect(shown(text, false)).toBe(text);
      }),
    );
  });

  it('has every control character and mark of direction escaped in JSON, also those that JSON itself leaves', () => {
    const text = '\u0000\u001b\u007f\u0085\u009b\u009f\u2028\u2029\u202a\u202e\u2066\u2069';
    expect(jsonLine({ text }).slice(0, -1)).not.toMatch(CONTROL);
    expect(JSON.parse(jsonLine({ text }))).toEqual({ text });
  });

  it('is one line of JSON without control characters, and reads back as it was', () => {
    fc.assert(
      fc.property(fc.anything({ key: binary, values: [binary, fc.integer(), fc.constant(null)] }), (value) => {
        const record = { value: JSON.parse(JSON.stringify(value ?? null)) };
        const line = jsonLine(record);
        expect(line.slice(0, -1)).not.toMatch(CONTROL);
        expect(line.at(-1)).toBe('\n');
        expect(JSON.parse(line)).toEqual(record);
      }),
    );
  });
});

describe('an error', () => {
  it('is one line without control characters, in linear time and bounded length', () => {
    fc.assert(
      fc.property(fc.oneof(binary, fc.string({ unit: fc.constantFrom('\n', ' ', 'a', '\u001b') })), (message) => {
        const line = oneLine(new Error(message));
        expect(line).not.toMatch(CONTROL);
        expect(line.trim()).not.toBe('');
      }),
    );
    expect(oneLine(new Error(`a \n  b\n\n${' '.repeat(1e7)}\n`))).toBe('a b…');
    expect(oneLine(new Error('x'.repeat(1e6))).length).toBeLessThan(2100);
    expect(oneLine(undefined)).toBe('undefined');
    expect(oneLine(new RangeError())).toBe('RangeError');
  });

  it('of the way the command was called exits with 2, any other with 1', () => {
    expect(exitCodeOf(new TandemError('option-invalid', ''))).toBe(2);
    expect(exitCodeOf(new TandemError('argument-invalid', ''))).toBe(2);
    for (const code of ['not-found', 'io-failed', 'aborted', 'source-invalid'] as const) {
      expect(exitCodeOf(new TandemError(code, ''))).toBe(1);
    }
    expect(exitCodeOf(new Error('x'))).toBe(1);
    expect(exitCodeOf(null)).toBe(1);
  });
});
