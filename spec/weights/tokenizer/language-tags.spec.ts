import { json, load } from './files';

interface Golden {
  readonly model: string;
  readonly tags: readonly string[];
  readonly cases: readonly { readonly text: string; readonly ids: number[]; readonly decoded: string | null }[];
}

/** MADLAD-400's language tags are user-defined pieces of its SentencePiece model: a text names them, and they are ids. */
describe('language tags as user-defined pieces', () => {
  const golden = json<Golden>('language-tags.json');
  const tokenizer = load({ 'spiece.model': Buffer.from(golden.model, 'base64') });

  it('become SentencePiece’s ids wherever they stand, and its text again', async () => {
    const { encode, decode } = bound(await tokenizer);
    expect(golden.cases).toHaveLength(240);
    const found = golden.cases.map(({ text, ids }) => ({ text, ids: encode(text), decoded: decode(ids) }));
    const certain = golden.cases.map((one, i) => (one.decoded === null ? { ...one, decoded: found[i].decoded } : one));
    expect(golden.cases.filter(({ decoded }) => decoded !== null).length).toBeGreaterThan(100);
    expect(found).toEqual(certain);
  });

  it('are one id each, the first one after the space that begins a text', async () => {
    const { encode } = bound(await tokenizer);
    for (const tag of golden.tags) {
      const ids = encode(`${tag} And`);
      expect(ids).toContain((await tokenizer).id(tag));
      expect(ids.indexOf((await tokenizer).id(tag) as number)).toBeLessThanOrEqual(1);
    }
  });
});

function bound(tokenizer: Awaited<ReturnType<typeof load>>) {
  return {
    encode: (text: string) => tokenizer.encode(text, { addEos: false }),
    decode: (ids: readonly number[]) => tokenizer.decode(ids),
  };
}
