import fc from 'fast-check';
import { WeightsError } from '../../../weights';
import { data, load, model } from './files';
import { spiece } from './spiece-writer';

async function refusal(
  files: Record<string, Uint8Array | string>,
  vocabularySize?: number,
): Promise<WeightsError | null> {
  try {
    const tokenizer = await load(files, vocabularySize);
    // What loads must also work.
    tokenizer.decode(tokenizer.encode('ﬁne thou ▁生 \u0000'));
    return null;
  } catch (error) {
    if (error instanceof WeightsError) return error;
    throw error;
  }
}

describe('a bad tokenizer', () => {
  const tiny = data('tiny.spiece.model');

  it('that is cut short either still loads or is refused, in one line that names the file', async () => {
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: tiny.length - 1 }), async (length) => {
        const error = await refusal({ 'spiece.model': tiny.slice(0, length) }, 1024);
        if (error === null) return;
        refused++;
        expect(error.code).toBe('tokenizer-invalid');
        expect(error.message).toMatch(/^somewhere\/spiece\.model: expected .*, found .*$/);
      }),
      { numRuns: 60 },
    );
    expect(refused).toBeGreaterThan(20);
    expect((await refusal({ 'spiece.model': new Uint8Array(0) }))?.message).toContain('0 unknown pieces');
  });

  it('with changed bytes either loads or is refused, and never fails in another way', async () => {
    const change = fc.tuple(fc.oneof(fc.nat(tiny.length - 1), fc.nat(2000)), fc.nat(255));
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), async (changes) => {
        const bytes = tiny.slice();
        for (const [at, value] of changes) bytes[at] = value;
        const error = await refusal({ 'spiece.model': bytes }, 1024);
        if (error === null) return;
        refused++;
        expect([error.code, error.message.includes('\n')]).toEqual(['tokenizer-invalid', false]);
      }),
      { numRuns: 100 },
    );
    expect(refused).toBeGreaterThan(10);
  });

  it('of random bytes is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, asJson) => {
        const error = await refusal({ [asJson ? 'tokenizer.json' : 'spiece.model']: bytes });
        expect(error?.code).toBe('tokenizer-invalid');
      }),
    );
  });

  type Edit = (file: Record<string, never>) => unknown;
  const original = Buffer.from(model('modernize-draft', 'tokenizer.json')).toString('utf8');
  const edits: [string, Edit, string][] = [
    ['another model', (f) => ({ ...f, model: { type: 'WordPiece' } }), 'model "WordPiece", which is not supported'],
    ['a BPE model without vocabulary', (f) => ({ ...f, model: { type: 'BPE' } }), 'model.vocab is not an object'],
    ['no model', (f) => ({ ...f, model: undefined }), 'model is not an object'],
    ['a piece without score', (f) => ({ ...f, model: { unk_id: 2, vocab: [['a']] } }), 'the score of piece 0'],
    ['no unknown piece', (f) => ({ ...f, model: { ...(f.model as object), unk_id: 5000 } }), 'unk_id 5000'],
    [
      'a charsmap not in base64',
      (f) => ({ ...f, normalizer: { type: 'Precompiled', precompiled_charsmap: '?' } }),
      'base64',
    ],
    [
      'a charsmap cut short',
      (f) => ({ ...f, normalizer: { type: 'Precompiled', precompiled_charsmap: 'ALwCAACE' } }),
      'charsmap',
    ],
    ['a normaliser of another kind', (f) => ({ ...f, normalizer: { type: 'Uppercase' } }), 'normalizer "Uppercase"'],
    [
      'a pre-tokeniser of another kind',
      (f) => ({ ...f, pre_tokenizer: { type: 'UnicodeScripts' } }),
      'pre_tokenizer "Unicode',
    ],
    [
      'a post-processor of another kind',
      (f) => ({ ...f, post_processor: { type: 'Other' } }),
      'post_processor "Other"',
    ],
    ['a decoder of another kind', (f) => ({ ...f, decoder: { type: 'CTC' } }), 'decoder "CTC"'],
    ['a hole in its ids', (f) => ({ ...f, added_tokens: [{ id: 9999, content: 'x' }] }), 'id 9999'],
  ];
  it.each(edits)('with %s is refused, and the message says so', async (_, edit, expected) => {
    const error = await refusal({ 'tokenizer.json': JSON.stringify(edit(JSON.parse(original))) }, 4096);
    expect(error?.code).toBe('tokenizer-invalid');
    expect(error?.message).toContain('somewhere/tokenizer.json');
    expect(error?.message).toContain(expected);
  });

  it('of another SentencePiece kind is refused, and so is one whose charsmap has a huge replacement', async () => {
    expect((await refusal({ 'spiece.model': spiece({ modelType: 2 }) }))?.message).toContain('model_type 2');
    const bomb = new Uint8Array(100_000).fill(97);
    bomb.set([4, 0, 0, 0]);
    expect((await refusal({ 'spiece.model': spiece({ charsmap: bomb }) }))?.message).toContain('replacement');
    expect(await refusal({ 'spiece.model': spiece() })).toBeNull();
  });

  it('that is missing is named: the error says which files were looked for', async () => {
    const error = await refusal({}, 32128);
    expect([error?.code, error?.message]).toEqual(['not-found', expect.stringContaining('spiece.model')]);
  });
});
