import type { Tokenizer } from '../../../weights';
import { data, json, load, t5FromJson, t5FromModel } from './files';

type Files = Readonly<Record<string, Uint8Array | string>>;

const T5 = json<{ added_tokens: object[] }>('t5.tokenizer.json');
const FLAGS = { normalized: true, special: false, lstrip: false, rstrip: false, single_word: false };

/** T5's tokenizer.json with tokens that a fine-tune has added. */
function withAdded(contents: readonly string[], flags: object = {}): Promise<Tokenizer> {
  const added = contents.map((content, i) => ({ ...FLAGS, ...flags, content, id: 32100 + i }));
  return load({ 'tokenizer.json': JSON.stringify({ ...T5, added_tokens: [...T5.added_tokens, ...added] }) });
}

/** What transformers' slow tokenizer saves: the SentencePiece model, and small files beside it. */
const saved = (files: Files, vocabularySize = 32128) =>
  load({ 'spiece.model': data('t5.spiece.model'), ...files }, vocabularySize);

/** T5's own tokenizers, each loaded once. */
const [fromJson, fromModel] = [t5FromJson(), t5FromModel()];
const tokenizers: [string, () => Promise<Tokenizer>][] = [
  ['tokenizer.json', () => fromJson],
  ['spiece.model', () => fromModel],
];

describe.each(tokenizers)('special tokens in a text, from %s', (_, open) => {
  // The ids of T5TokenizerFast (transformers 4.57.6); of a text that ends in </s>, those of T5Tokenizer.
  it.each([
    ['<extra_id_0>. Hello', [32099, 3, 5, 8774, 1]],
    ['The <extra_id_0> barks', [37, 32099, 21696, 7, 1]],
    ['The<extra_id_0> barks', [37, 32099, 21696, 7, 1]],
    ['The <extra_id_0>barks', [37, 32099, 21696, 7, 1]],
    ['x <extra_id_0> <extra_id_1> y', [3, 226, 32099, 32098, 3, 63, 1]],
    ['Hello <extra_id_0> .</s> x', [8774, 32099, 3, 5, 1, 3, 226, 1]],
    ['Hello <unk> world', [8774, 2, 296, 1]],
    ['<extra_id_0>', [32099, 1]],
    [' <extra_id_5>  ! ', [32094, 3, 55, 1]],
    ['<pad> a', [0, 3, 9, 1]],
    ['a</s>', [3, 9, 1]],
    ['a</s> ', [3, 9, 1]],
    ['The <extra_id_0> barks at <extra_id_1> postman.', [37, 32099, 21696, 7, 44, 32098, 442, 348, 5, 1]],
  ])('%j', async (text, ids) => {
    expect((await open()).encode(text)).toEqual(ids);
  });

  it('are hidden or shown in the text that comes out', async () => {
    const t5 = await open();
    const answer = [32099, 1001, 1782, 32098, 8, 32097, 1];
    expect(t5.decode(answer)).toBe('black dog the');
    expect(t5.decode(answer, { skipSpecialTokens: false })).toBe(
      '<extra_id_0> black dog<extra_id_1> the<extra_id_2></s>',
    );
  });

  it('are plain text where they are not to be trusted', async () => {
    const t5 = await open();
    for (const text of ['<extra_id_0>', 'a</s> b', '<pad>', '<unk><extra_id_99>']) {
      const ids = t5.encode(text, { parseSpecial: false, addEos: false });
      expect(ids.filter((id) => id !== 2 && (id < 3 || id >= 32000))).toEqual([]);
    }
  });
});

describe('added tokens', () => {
  it('are found in a text, with no lone space before them', async () => {
    const t5 = await withAdded(['<hl>']);
    const ids = [3806, 822, 10, 32100, 1919, 32100, 19, 8, 1784, 5, 1];
    expect(t5.encode('generate question: <hl> Paris <hl> is the capital.')).toEqual(ids);
    // They are part of the vocabulary: a text that is not trusted may hold them.
    expect(t5.encode('generate question: <hl> Paris <hl> is the capital.', { parseSpecial: false })).toEqual(ids);
  });

  it('of a fine-tune on code are found and written', async () => {
    const t5 = await withAdded(['<', '{', '}']);
    const ids = [3, 99, 3, 9, 32100, 3274, 755, 32101, 2281, 3, 9, 32102, 32100, 643, 3155, 1];
    expect(t5.encode('if a<=5 { print a } <body>')).toEqual(ids);
  });

  it('take white space and stand alone where their flags say so', async () => {
    const spaced = await withAdded(['<x>'], { lstrip: true, rstrip: true, normalized: false });
    expect(spaced.encode('a <x> <extra_id_0>', { addEos: false })).toEqual([3, 9, 32100, 32099]);
    const word = await withAdded(['cat'], { single_word: true, normalized: false });
    expect([word.encode('cat').includes(32100), word.encode('concat cats').includes(32100)]).toEqual([true, false]);
  });
});

describe('what the slow tokenizer saves', () => {
  const text = 'generate question: <hl> Paris <sep> now';
  const decoder = {
    32100: { ...FLAGS, content: '<hl>' },
    32101: { ...FLAGS, content: '<sep>', normalized: false, special: true },
  };

  const of = (legacy: boolean) =>
    saved({ 'tokenizer_config.json': JSON.stringify({ legacy, added_tokens_decoder: decoder }) });
  const [legacy, notLegacy] = [of(true), of(false)];

  it('is read: added_tokens_decoder of tokenizer_config.json', async () => {
    const t5 = await legacy;
    expect(t5.encode(text)).toEqual([3806, 822, 10, 32100, 1919, 32101, 230, 1]);
    expect([t5.decode([32100, 32101]), t5.vocabularySize]).toEqual(['<hl>', 32102]);
  });

  it('is read: added_tokens.json and special_tokens_map.json of older versions', async () => {
    const t5 = await saved({
      'added_tokens.json': JSON.stringify({ '<sep>': 32101, '<hl>': 32100 }),
      'special_tokens_map.json': JSON.stringify({ eos_token: '</s>', additional_special_tokens: ['<sep>'] }),
    });
    expect(t5.encode(text)).toEqual([3806, 822, 10, 32100, 1919, 32101, 230, 1]);
    expect([t5.decode([32100, 32101]), t5.vocabularySize]).toEqual(['<hl>', 32102]);
  });

  // The ids of T5Tokenizer (transformers 4.57.6) with and without its flag `legacy`.
  it.each([
    ['The <extra_id_0>barks', [37, 32099, 21696, 7, 1], [37, 32099, 1047, 157, 7, 1]],
    ['<extra_id_0>. Hello', [32099, 3, 5, 8774, 1], [32099, 5, 8774, 1]],
    ['The <extra_id_0> barks', [37, 32099, 21696, 7, 1], [37, 32099, 21696, 7, 1]],
    ['  Hello  world ', [8774, 296, 1], [8774, 296, 1]],
    [text, [3806, 822, 10, 32100, 1919, 32101, 230, 1], [3806, 822, 10, 32100, 1919, 32101, 230, 1]],
  ])('says whether a space stands before every part or before the text only: %j', async (source, all, first) => {
    expect([(await legacy).encode(source), (await notLegacy).encode(source)]).toEqual([all, first]);
  });

  it('says that no space stands in front of a text', async () => {
    const t5 = await saved({ 'tokenizer_config.json': JSON.stringify({ add_prefix_space: false }) });
    const ids = [566, 7126, 296, 1]; // as T5TokenizerFast (transformers 4.57.6)
    expect([t5.encode('Hello world'), t5.decode(t5.encode('Hello world'))]).toEqual([ids, 'Hello world']);
  });

  it('names special tokens that the embedding has no row for: they stay text', async () => {
    const map = { 'special_tokens_map.json': JSON.stringify({ additional_special_tokens: ['<sep>'] }) };
    expect((await saved(map, 32100)).special.has('<sep>')).toBe(false);
    expect((await saved(map, 32128)).special.get('<sep>')).toBe(32100);
  });

  it('is refused when an id leaves a hole, or a key is no token', async () => {
    await expect(saved({ 'added_tokens.json': '{"<hl>":40000}' })).rejects.toThrow('added token "<hl>" with id 40000');
    await expect(saved({ 'special_tokens_map.json': '{"eos_token":5}' })).rejects.toThrow('eos_token is not an object');
  });
});
