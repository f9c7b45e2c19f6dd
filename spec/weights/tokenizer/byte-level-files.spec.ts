import { load } from './files';

const PIECES = ['<pad>', '<s>', '</s>', '<unk>', 'a', 'b', 'Ġ', 'ab', 'Ġa', '<cls>'];
const MERGES = '#version: 0.2\na b\nĠ a\n';
const idOf = (piece: string) => PIECES.indexOf(piece);
const vocabulary = (...without: string[]) =>
  JSON.stringify(Object.fromEntries(PIECES.flatMap((piece, id) => (without.includes(piece) ? [] : [[piece, id]]))));
const open = (config: object | null, vocab = vocabulary()) =>
  load({
    ...{ 'vocab.json': vocab, 'merges.txt': MERGES },
    ...(config && { 'tokenizer_config.json': JSON.stringify(config) }),
  });

const TEXT = [idOf('ab'), idOf('Ġa')]; // 'ab a'
const OPEN = [
  null,
  {},
  ...['Roberta', 'Bart', 'LED', 'Longformer'].flatMap((name) => [`${name}Tokenizer`, `${name}TokenizerFast`]),
];
const BARE = [
  'GPT2Tokenizer',
  'T5Tokenizer',
  'xRobertaTokenizer',
  'RobertaTokenizerFastx',
  'Roberta',
  'RobertaTokenizerx',
  'BartsTokenizer',
];
const configOf = (name: object | string | null) => (typeof name === 'string' ? { tokenizer_class: name } : name);

describe('vocab.json and merges.txt', () => {
  it.each([...OPEN, ...BARE])(
    'of the class %j begin a text with <s> where that class does, and end it with </s>',
    async (name) => {
      const opens = OPEN.includes(name as (typeof OPEN)[number]);
      const found = await open(configOf(name));
      expect(found.encode('ab a')).toEqual([...(opens ? [idOf('<s>')] : []), ...TEXT, idOf('</s>')]);
      expect(found.encode('ab a', { addEos: false })).toEqual(TEXT);
      expect(found.decode(TEXT)).toBe('ab a');
      expect([found.kind, found.vocabularySize]).toEqual(['bpe', PIECES.length]);
    },
  );

  it('take the opening token that the settings name, and none where the vocabulary has none', async () => {
    const named = await open({ cls_token: '<cls>' });
    expect(named.encode('ab a')).toEqual([idOf('<cls>'), ...TEXT, idOf('</s>')]);
    const none = await open({}, vocabulary('<s>', '<cls>').replace('{', '{"x":1,"y":9,'));
    expect(none.encode('ab a')).toEqual([...TEXT, idOf('</s>')]);
  });

  it('close a text with the config’s EOS where they have no </s>', async () => {
    const found = await open({}, vocabulary('</s>').replace('{', '{"x":2,'));
    expect(found.encode('ab a')).toEqual([idOf('<s>'), ...TEXT, 1]);
  });

  it('put a space before a text where the settings say so', async () => {
    for (const [prefix, ids] of [
      [true, [idOf('Ġ'), idOf('ab')]],
      [false, [idOf('ab')]],
    ] as const) {
      const found = await open({ tokenizer_class: 'GPT2Tokenizer', add_prefix_space: prefix });
      expect(found.encode('ab', { addEos: false })).toEqual(ids);
    }
  });
});
