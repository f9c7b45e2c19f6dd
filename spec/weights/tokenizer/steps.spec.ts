/** The steps of tokenizer.json one by one: each row of their tables, what it refuses, and decoders against a plain reference. */
import fc from 'fast-check';
import { readDecoder } from '../../../weights/tokenizer/pipeline/decoders';
import { readPostProcessor } from '../../../weights/tokenizer/pipeline/post-processor';

describe('a post-processor', () => {
  const template = (single: unknown, special_tokens: unknown = { x: { ids: [7, 8] }, y: { ids: [9] } }) => ({
    type: 'TemplateProcessing',
    single,
    special_tokens,
  });
  const [text, x, y] = [{ Sequence: { id: 'A' } }, { SpecialToken: { id: 'x' } }, { SpecialToken: { id: 'y' } }];
  const pair = (before: number, after: number) => ({ type: 'BertProcessing', cls: ['c', before], sep: ['s', after] });

  it.each<[unknown, number[], number[]]>([
    [null, [], []],
    [undefined, [], []],
    [{ type: 'ByteLevel' }, [], []],
    [template([text]), [], []],
    [template([text, y]), [], [9]],
    [template([x, text, y, x]), [7, 8], [9, 7, 8]],
    [pair(4, 5), [4], [5]],
    [{ ...pair(0, 5), type: 'RobertaProcessing' }, [0], [5]],
    [{ type: 'Sequence', processors: [pair(1, 2), { type: 'ByteLevel' }, pair(3, 4)] }, [3, 1], [2, 4]],
    [template([text], undefined), [], []],
  ])('%j puts %j before a text and %j after it', (step, before, after) => {
    expect(readPostProcessor(step)).toEqual({ before, after });
  });

  it.each<[unknown, RegExp]>([
    [{ type: 'Other' }, /^post_processor "Other", which is not supported$/],
    ['ByteLevel', /^post_processor is not an object$/],
    [{ type: 'Sequence' }, /^processors is not a list$/],
    [template(undefined), /^post_processor.single is not a list$/],
    [template([]), /^post_processor.single with 0 texts$/],
    [template([text, text]), /with 2 texts$/],
    [template([text, null]), /^a part of post_processor.single is not an object$/],
    [template([text, {}]), /^a special token of post_processor.single is not an object$/],
    [template([text, { SpecialToken: { id: 'z' } }]), /^special token "z" is not an object$/],
    [template([text, { SpecialToken: { id: 3 } }]), /^special token 3 is not an object$/],
    [template([text, x], { x: {} }), /^the ids of a special token is not a list$/],
    [template([text, x], { x: { ids: [1.5] } }), /^id 1.5 in post_processor$/],
    [template([text, x], { x: { ids: [-1] } }), /^id -1 in post_processor$/],
    [template([text, x], []), /^special_tokens is not an object$/],
    [{ ...pair(1, 2), cls: 5 }, /^cls or sep of post_processor is not a list$/],
    [{ ...pair(1, 2), sep: ['s', '2'] }, /^id "2" in post_processor$/],
  ])('%j is refused', (step, message) => {
    expect(() => readPostProcessor(step)).toThrow(message);
    expect(() => readPostProcessor(step)).toThrow(RangeError);
  });
});

/** All that a decoder gives for tokens, each call's texts joined. */
function decoded(decoder: unknown, tokens: readonly string[]): string {
  const stage = readDecoder(decoder)();
  return [...tokens.map((token) => stage.push(token).join('')), stage.end().join('')].join('');
}

const tokens = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', ' ', '▁', '😀'), maxLength: 4 }), { maxLength: 6 });
const counts = fc.integer({ min: 0, max: 3 });

/** At most so many of a character at the start and at the end, taken from the start first. */
function stripped(whole: string, content: string, start: number, stop: number): string {
  const characters = [...whole];
  for (let i = 0; i < start && characters[0] === content; i++) characters.shift();
  for (let i = 0; i < stop && characters.at(-1) === content; i++) characters.pop();
  return characters.join('');
}

describe('a decoder', () => {
  it('strips each token, or after Fuse the whole text', () => {
    const fused = (strip: object) => ({ type: 'Sequence', decoders: [{ type: 'Fuse' }, strip] });
    fc.assert(
      fc.property(tokens, fc.constantFrom('a', ' ', '😀'), counts, counts, (list, content, start, stop) => {
        const strip = { type: 'Strip', content, start, stop };
        const expected = list.map((token) => stripped(token, content, start, stop)).join('');
        expect(decoded(strip, list)).toBe(expected);
        expect(decoded(fused(strip), list)).toBe(stripped(list.join(''), content, start, stop));
      }),
      { numRuns: 500 },
    );
  });

  it('writes spaces for a symbol, and none for those of the first token where the scheme puts one in front', () => {
    fc.assert(
      fc.property(
        tokens,
        fc.constantFrom('always', 'first', 'never', undefined),
        fc.boolean(),
        (list, scheme, isFused) => {
          const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: scheme };
          const first = scheme === 'never' ? ' ' : '';
          const spaced = (token: string, symbol: string) => token.split('▁').join(symbol);
          const expected = list.map((token, i) => spaced(token, i === 0 ? first : ' ')).join('');
          if (!isFused) expect(decoded(metaspace, list)).toBe(expected);
          else {
            const all = { type: 'Sequence', decoders: [{ type: 'Fuse' }, metaspace] };
            expect(decoded(all, list)).toBe(spaced(list.join(''), first));
          }
        },
      ),
    );
    expect(decoded({ type: 'Metaspace', add_prefix_space: false }, ['▁a', '▁b'])).toBe(' a b');
    expect(decoded({ type: 'Metaspace', replacement: '_' }, ['_a▁', '_b'])).toBe('a▁ b');
  });

  it('joins tokens by spaces where there is none, and by the end of a word in BPE', () => {
    fc.assert(fc.property(tokens, (list) => expect(decoded(null, list)).toBe(list.join(' '))));
    expect(decoded(undefined, ['a', 'b'])).toBe('a b');
    expect(decoded({ type: 'BPEDecoder' }, ['a</w>', 'b', 'c</w>'])).toBe('a bc');
    expect(decoded({ type: 'BPEDecoder', suffix: '@' }, ['a@', '@b@', 'c</w>@'])).toBe('a  b c</w>');
    expect(decoded({ type: 'BPEDecoder' }, [])).toBe('');
  });

  it('replaces in each token, and makes bytes to text once a run of them has ended', () => {
    const replace = (pattern: object, content: string) => ({ type: 'Replace', pattern, content });
    expect(decoded(replace({ String: 'a' }, '$&'), ['aba', 'a'])).toBe('$&b$&$&');
    expect(decoded(replace({ Regex: 'a+' }, ''), ['aaba'])).toBe('b');
    const bytes = { type: 'ByteFallback' };
    expect(decoded(bytes, ['<0xC3>', '<0xa9>', 'x', '<0xC3>', 'y'])).toBe('éx\uFFFDy');
    expect(decoded(bytes, ['<0xE2>', '<0x82>', '<0x61>'])).toBe('\uFFFD\uFFFD\uFFFD');
    expect(decoded(bytes, ['<0xEF>', '<0xBB>', '<0xBF>', '<0x4>', '<0x041>', 'a<0x41>'])).toBe(
      '\uFEFF<0x4><0x041>a<0x41>',
    );
    expect(decoded({ type: 'ByteLevel' }, ['Ġa', 'Ã', '©'])).toBe(' aé');
    expect(decoded({ type: 'ByteLevel' }, ['Ã'])).toBe('\uFFFD');
    const stage = readDecoder(bytes)();
    expect([stage.push('<0x41>'), stage.push('b'), stage.end()]).toEqual([[], ['A', 'b'], []]);
  });

  const behind = (first: string, step: object) => ({ type: 'Sequence', decoders: [{ type: first }, step] });
  const replace = { type: 'Replace', pattern: { String: 'a' }, content: '' };
  it.each<[unknown, RegExp]>([
    [{ type: 'CTC' }, /^decoder "CTC", which is not supported$/],
    [{ type: 'toString' }, /^decoder "toString"/],
    [{ type: 3 }, /^decoder 3,/],
    [[], /^decoder is not an object$/],
    [{ type: 'Sequence', decoders: {} }, /^decoders is not a list$/],
    [behind('Fuse', replace), /^decoder Replace after "Fuse"/],
    [behind('ByteLevel', replace), /^decoder Replace after "Fuse"/],
    [behind('Fuse', { type: 'ByteFallback' }), /^decoder ByteFallback after "Fuse"/],
    [{ ...replace, content: 1 }, /^decoder Replace is not a text$/],
    [{ type: 'Strip', content: 'a', start: 1001, stop: 0 }, /^decoder Strip 1001/],
    [{ type: 'Strip', content: 'a', start: 0, stop: -1 }, /^decoder Strip -1/],
    [{ type: 'Strip', content: 'a', start: 0.5, stop: 0 }, /^decoder Strip 0.5/],
    [{ type: 'Strip', content: 'a', start: 0 }, /^decoder Strip/],
    [{ type: 'Strip', start: 0, stop: 0 }, /^decoder Strip is not a text$/],
    [{ type: 'BPEDecoder', suffix: 1 }, /^decoder BPEDecoder is not a text$/],
    [{ type: 'Metaspace', replacement: 1 }, /^decoder Metaspace is not a text$/],
    [{ type: 'Metaspace', prepend_scheme: 'last' }, /^prepend_scheme "last"/],
  ])('%j is refused', (decoder, message) => {
    expect(() => readDecoder(decoder)).toThrow(message);
  });

  it('strips at most 1,000 of a character, which is taken', () => {
    expect(decoded({ type: 'Strip', content: 'a', start: 1000, stop: 1000 }, ['a'.repeat(2001)])).toBe('a');
  });
});
