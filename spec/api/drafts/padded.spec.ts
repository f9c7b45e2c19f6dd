import { Tandem } from '../../../api';
import { checkpointBytes, tinyConfig } from '../../support/random-checkpoint';
import { taughtTensors } from '../../support/taught-checkpoint';
import { data, t5FromModel } from '../../weights/tokenizer/files';

/** "summarize: The meeting is on Monday." and what both models were taught to say to it. */
const TEXT = 'summarize: The meeting is on Monday.';
const ANSWER = [9198, 30, 2089, 5, 1];

type Files = Record<string, Uint8Array>;
const made = new Map<string, Promise<Files>>();
let source: Promise<number[]> | null = null;

/** A model of T5's tokenizer whose table has so many rows, as files. */
function model(rows: number, layers: number): Promise<Files> {
  const name = `${rows} ${layers}`;
  const files = made.get(name) ?? makeModel(rows, layers);
  made.set(name, files);
  return files;
}

async function makeModel(rows: number, layers: number): Promise<Files> {
  const sizes = { dKv: 8, heads: 2, dFf: 32, encoderLayers: layers, decoderLayers: layers };
  const config = tinyConfig({ vocabularySize: rows, tiesHead: false, scaleHead: false, ...sizes });
  source ??= t5FromModel().then((tokenizer) => tokenizer.encode(TEXT));
  const tensors = await taughtTensors(config, layers, { source: await source, answer: ANSWER });
  return { ...(await checkpointBytes({ config, tensors })), 'spiece.model': data('t5.spiece.model') };
}

describe('a pair with one tokenizer, whose tables were padded to 32,128 and to 32,100 rows', () => {
  it.each([
    { target: 32_128, draft: 32_100 },
    { target: 32_100, draft: 32_128 },
  ])('target $target, draft $draft: the text of the target, most of it drafted; beams too', async (rows) => {
    const target = await model(rows.target, 3);
    const draft = { model: await model(rows.draft, 1), dtype: 'f32' as const };
    await using tandem = await Tandem.load(target, { draft, backend: 'cpu', dtype: 'f32' });
    const settings = [{ gamma: 4 }, { gamma: 4, verification: 'block' }, { branching: [2, 1] }] as const;
    for (const one of settings) {
      const { ids, metrics } = await tandem.generate(TEXT, { ...one, maxNewTokens: 12 });
      expect(ids).toEqual(ANSWER);
      expect(metrics.accepted).toBeGreaterThan(0);
    }
    const beams = await tandem.generate(TEXT, { numBeams: 2, maxNewTokens: 8 });
    const alone = await tandem.generate(TEXT, { numBeams: 2, maxNewTokens: 8, speculative: false });
    expect(beams.ids).toEqual(ANSWER);
    expect([beams.ids, beams.score]).toEqual([alone.ids, alone.score]);
    expect(beams.metrics.targetCalls).toBeLessThan(alone.metrics.targetCalls);
  });

  it('is refused by name where the ids that both have mean different things, and where no tokenizer says', async () => {
    const target = await model(32_128, 3);
    const { 'spiece.model': _, ...bare } = await model(32_100, 1);
    const other = { ...bare, 'spiece.model': data('tiny.spiece.model') };
    for (const [draft, message] of [
      [bare, /logits over 32128 ids in one, over 32100 in the other/],
      [other, /found a difference: id \d+ is/],
    ] as const) {
      await expect(Tandem.load(target, { draft, backend: 'cpu' })).rejects.toMatchObject({
        code: 'vocabulary-mismatch',
        message: expect.stringMatching(message),
      });
    }
  });
});
