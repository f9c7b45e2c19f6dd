import fc from 'fast-check';
import { parseShallowJson, quotedJson } from '../../common';

describe('JSON whose nesting is limited', () => {
  it('is what JSON.parse makes of it, brackets, quotes and backslashes in texts included', () => {
    const text = fc.string({ unit: fc.constantFrom('[', ']', '{', '}', '"', '\\', 'a') });
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 5, stringUnit: 'grapheme' }),
      fc.array(text),
      fc.dictionary(text, text),
    );
    fc.assert(
      fc.property(value, (one) => {
        const written = JSON.stringify(one);
        expect(parseShallowJson(written)).toEqual(JSON.parse(written));
      }),
    );
    expect(parseShallowJson(`["\\\\\\"${'['.repeat(70)}"]`)).toEqual([`\\"${'['.repeat(70)}`]);
  });

  it.each(['[', '{"a":'])('nests 64 levels of %s and not 65', (open) => {
    const close = open === '[' ? ']' : '}';
    const nested = (depth: number) => parseShallowJson(`${open.repeat(depth)}1${close.repeat(depth)}`);
    expect(() => nested(64)).not.toThrow();
    expect(() => nested(65)).toThrow(/more than 64 levels of nesting/);
  });

  it('is quoted short, on one line and without control characters', () => {
    expect(quotedJson(undefined)).toBe('none');
    expect(quotedJson({ a: [1, 'b'] })).toBe('{"a":[1,"b"]}');
    expect(quotedJson('\u202e\n')).toBe('"\\u202e\\n"');
    expect(quotedJson('x'.repeat(1000))).toHaveLength(81);
    expect(quotedJson('x'.repeat(78))).toHaveLength(80);
  });

  it('is quoted when it nests a million levels deep, on any runtime', () => {
    let deep: unknown = 1;
    for (let i = 0; i < 1e6; i++) deep = [deep];
    expect(quotedJson(deep)).toMatch(/^(a value that nests too deep|\[{80}…)$/);
  });
});
