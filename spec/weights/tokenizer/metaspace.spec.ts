import { load } from './files';

const PIECES = ['<pad>', '</s>', '<unk>', '▁a', '_a', 'a', '▁', '_', 'b'];
const vocab = PIECES.map((piece, id) => [piece, id < 3 ? 0 : -1 - id / 100]);

/** The pieces of a text by a unigram model whose words are split at spaces and begin as Metaspace says. */
async function piecesOf(text: string, metaspace: object, decoder: object = {}) {
  const step = { type: 'Metaspace', ...metaspace };
  const tokenizer = await load({
    'tokenizer.json': JSON.stringify({
      model: { type: 'Unigram', unk_id: 2, vocab },
      pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, step] },
      decoder: { type: 'Metaspace', ...decoder },
    }),
  });
  const ids = tokenizer.encode(text);
  return { found: ids.map((id) => PIECES[id]).filter((piece) => piece !== '</s>'), text: tokenizer.decode(ids) };
}

describe('words of a unigram model in tokenizer.json', () => {
  it.each<[object, string, string[]]>([
    [{}, 'a a', ['▁a', '▁a']],
    [{ prepend_scheme: 'always' }, 'a', ['▁a']],
    [{ replacement: '_' }, 'a a', ['_a', '_a']],
    [{ replacement: '_', prepend_scheme: 'always' }, 'a', ['_a']],
    [{ prepend_scheme: 'never' }, 'a a', ['a', 'a']],
    [{ prepend_scheme: 'first' }, 'a a', ['▁a', 'a']],
    [{ replacement: '_', prepend_scheme: 'never' }, 'a', ['a']],
    [{ add_prefix_space: false }, 'a', ['a']],
  ])('that begin by %j: %j is %j', async (metaspace, text, expected) => {
    expect((await piecesOf(text, metaspace)).found).toEqual(expected);
  });

  it('have the space that the decoder’s symbol stands for, and no other', async () => {
    expect((await piecesOf('a a', { replacement: '_' }, { replacement: '_' })).text).toBe('a a');
    expect((await piecesOf('a a', {}, { replacement: '▁' })).text).toBe('a a');
    expect((await piecesOf('a a', {}, { prepend_scheme: 'never' })).text).toBe(' a a');
  });
});
