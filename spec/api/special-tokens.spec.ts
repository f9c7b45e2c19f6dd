import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from '@swc/core';
import { Tandem } from '../../index';
import { checkpointBytes, tinyConfig } from '../support/random-checkpoint';
import { taughtTensors } from '../support/taught-checkpoint';
import { data, t5FromModel } from '../weights/tokenizer/files';

const TEXT = 'The <extra_id_0> barks at <extra_id_1> postman.';
/** `<extra_id_0> black dog<extra_id_1> the<extra_id_2></s>` */
const ANSWER = [32099, 1001, 1782, 32098, 8, 32097, 1];

/** The files of a model on T5's tokenizer, which was taught to fill the gaps of TEXT. */
async function taughtFiles(): Promise<Record<string, Uint8Array>> {
  const config = tinyConfig({ vocabularySize: 32128, tiesHead: false, scaleHead: false });
  const source = (await t5FromModel()).encode(TEXT);
  const tensors = await taughtTensors(config, 5, { source, answer: ANSWER });
  return { ...(await checkpointBytes({ config, tensors })), 'spiece.model': data('t5.spiece.model') };
}

describe('a source with sentinels', () => {
  let [files, tandem] = [{} as Record<string, Uint8Array>, null as unknown as Tandem];
  const load = (changes: Record<string, Uint8Array | null> = {}) => {
    const all = Object.entries({ ...files, ...changes }).filter(([, content]) => content !== null);
    return Tandem.load(Object.fromEntries(all) as Record<string, Uint8Array>, { draft: null, threads: 1 });
  };
  beforeAll(async () => {
    files = await taughtFiles();
    tandem = await load();
  }, 120_000);
  afterAll(() => tandem?.dispose());

  it('is answered with sentinels, which the text hides or shows', async () => {
    const hidden = await tandem.generate(TEXT, { maxNewTokens: 12 });
    expect([hidden.ids, hidden.text]).toEqual([ANSWER, 'black dog the']);
    const shown = await tandem.generate(TEXT, { maxNewTokens: 12, skipSpecialTokens: false });
    expect(shown.text).toBe('<extra_id_0> black dog<extra_id_1> the<extra_id_2></s>');
    const [best] = (await tandem.generate(TEXT, { maxNewTokens: 12, skipSpecialTokens: false, numBeams: 2 })).sequences;
    expect(best.text).toBe(shown.text);
    expect(await tandem.encode(TEXT)).toEqual([37, 32099, 21696, 7, 44, 32098, 442, 348, 5, 1]);
    expect(await tandem.decode(ANSWER, { skipSpecialTokens: false })).toBe(shown.text);
  });

  it('ends at a stop string that names a sentinel, whether the text shows it or not', async () => {
    for (const skipSpecialTokens of [true, false]) {
      const result = await tandem.generate(TEXT, { maxNewTokens: 12, stop: ['<extra_id_1>'], skipSpecialTokens });
      expect(result).toMatchObject({ stopReason: 'stop', ids: ANSWER.slice(0, 4) });
      expect(result.text).toBe(skipSpecialTokens ? 'black dog' : '<extra_id_0> black dog');
    }
    const across = await tandem.generate(TEXT, { maxNewTokens: 12, stop: ['dog<extra_id_1>'] });
    expect([across.text, across.stopReason]).toEqual(['black ', 'stop']);
  });

  it('is plain text where it is not to be trusted', async () => {
    const ids = await tandem.encode(TEXT, { parseSpecial: false });
    expect(ids.some((id) => id >= 32000)).toBe(false);
    const result = await tandem.generate(TEXT, { maxNewTokens: 12, parseSpecial: false });
    expect(result.ids).toEqual((await tandem.generate(ids, { maxNewTokens: 12 })).ids);
  });

  it('goes in and out as ids where the tokenizer cannot be read; text is refused, and the message names why', async () => {
    const unread = new TextEncoder().encode('{"model":{"type":"WordPiece"}}');
    const source = await tandem.encode(TEXT);
    for (const [changes, why] of [
      [{ 'tokenizer.json': unread }, 'model "WordPiece", which is not supported'],
      [{ 'spiece.model': new Uint8Array([1, 2, 3]) }, 'spiece.model: expected'],
      [{ 'spiece.model': null }, 'found no such file'],
    ] as const) {
      await using other = await load(changes);
      expect(other.hasTokenizer).toBe(false);
      expect((await other.generate(source, { maxNewTokens: 12 })).ids).toEqual(ANSWER);
      const refused = { code: 'tokenizer-invalid', message: expect.stringContaining(why) };
      await expect(other.generate(TEXT)).rejects.toMatchObject(refused);
      await expect(other.decode(ANSWER)).rejects.toMatchObject(refused);
    }
  });

  it('is filled by the example of docs/tokenizers.md', async () => {
    const page = readFileSync(join(__dirname, '../../docs/tokenizers.md'), 'utf8');
    const [, snippet] = /```ts\n([\s\S]*?)```/.exec(page) as RegExpExecArray;
    const { code } = transformSync(snippet, { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } });
    const body = code.replace(/^import .*$/m, '');
    expect(body).not.toBe(code);
    const printed: unknown[] = [];
    const run = new Function('Tandem', 'console', `return (async () => {${body}})()`);
    await run({ load: () => load() }, { log: (line: unknown) => printed.push(line) });
    expect(printed).toEqual(['The black dog barks at the postman.']);
  });
});
