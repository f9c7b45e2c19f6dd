import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChronosConfig, forecast, tokensOf } from '../../examples/chronos';
import { Tandem } from '../../index';
import type { T5Config } from '../../weights';
import { relativeError } from '../support/goldens';
import { checkpointBytes, randomTensors, tinyConfig } from '../support/random-checkpoint';
import { readUses, usesPath } from '../support/uses';

interface ChronosGolden {
  readonly series: readonly (number | null)[];
  readonly ids: readonly number[];
  readonly mask: readonly number[];
  readonly scale: number;
  readonly logits: readonly number[];
}

const golden = readUses<ChronosGolden>('chronos');
const series = golden.series.map((value) => value ?? Number.NaN);
const config = JSON.parse(readFileSync(join(usesPath('chronos-t5'), 'config.json'), 'utf8'))
  .chronos_config as ChronosConfig;

describe('examples/chronos.ts', () => {
  let model: Tandem;
  beforeAll(async () => {
    model = await Tandem.load(usesPath('chronos-t5'), { draft: 'layers:1', threads: 1 });
  });
  afterAll(() => model.dispose());

  it("makes Chronos's tokens, mask and scale of a series with missing values, and hears of limits", () => {
    const { source, scale } = tokensOf(series, config);
    expect(source).toEqual({ ids: golden.ids, mask: golden.mask });
    expect(scale / golden.scale).toBeCloseTo(1, 6);
    const { ids } = tokensOf([1e9, -1e9, 0, 0, 0, 0], config).source;
    expect(Math.max(...ids)).toBeLessThan(config.n_tokens);
    expect(tokensOf(new Array<number>(100).fill(1), config).source.ids).toHaveLength(config.context_length + 1);
  });

  it("gives the model Hugging Face's logits for them, within 1e-5", async () => {
    const scores = await model.score(
      { ids: golden.ids, mask: golden.mask },
      golden.logits.map((_, id) => [id]),
    );
    const total = Math.log(golden.logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
    const found = scores.map(({ logProb }) => logProb);
    expect(
      relativeError(
        found,
        golden.logits.map((logit) => logit - total),
      ),
    ).toBeLessThan(1e-5);
  });

  it('samples 20 paths whose quantiles are in order; the seed fixes them, with the draft and each alone', async () => {
    const { paths, low, median, high } = await forecast(model, series, { config, horizon: 6, seed: 3 });
    expect([paths.length, ...new Set(paths.map(({ length }) => length))]).toEqual([20, 6]);
    for (const [i, value] of median.entries()) {
      expect(low[i]).toBeLessThanOrEqual(value);
      expect(value).toBeLessThanOrEqual(high[i]);
    }
    expect(new Set(paths.map((path) => path.join())).size).toBeGreaterThan(10);
    expect((await forecast(model, series, { config, horizon: 6, seed: 3 })).paths).toEqual(paths);
    expect((await forecast(model, series, { config, horizon: 6, seed: 4 })).paths).not.toEqual(paths);
    const few = await forecast(model, series, { config, horizon: 6, seed: 3, paths: 2 });
    expect(few.paths).toEqual(paths.slice(0, 2));
  });

  it('is at most 80 lines', () => {
    expect(readFileSync(join(__dirname, '..', '..', 'examples', 'chronos.ts'), 'utf8').split('\n').length).toBeLessThan(
      82,
    );
  });
});

/** Shapes of the family, from the config.json of amazon/chronos-t5-mini and -tiny: 20 and 8 million parameters. */
const FAMILY = {
  vocabularySize: 4096,
  dKv: 64,
  encoderLayers: 4,
  decoderLayers: 4,
  relativeBuckets: 32,
  relativeMaxDistance: 128,
};
const MINI = tinyConfig({ ...FAMILY, dModel: 384, heads: 8, dFf: 1536 });
const TINY = tinyConfig({ ...FAMILY, dModel: 256, heads: 4, dFf: 1024 });

describe('two sizes of the family, as target and draft', () => {
  const chronos: ChronosConfig = { ...config, n_tokens: 4096, context_length: 512 };
  let model: Tandem;
  beforeAll(async () => {
    const filesOf = (config: T5Config, seed: number) =>
      checkpointBytes({ config, tensors: randomTensors(config, seed) });
    model = await Tandem.load(await filesOf(MINI, 1), { draft: await filesOf(TINY, 2), threads: 1 });
  });
  afterAll(() => model.dispose());

  it('forecast 20 paths, of which each is what it is alone', async () => {
    expect(model.draft?.parameters).toBeLessThan(model.target.parameters / 2);
    const { paths, low, high } = await forecast(model, series, { config: chronos, horizon: 4, seed: 5 });
    expect(paths).toHaveLength(20);
    expect(low.every((value, i) => value < high[i])).toBe(true);
    const alone = await forecast(model, series, { config: chronos, horizon: 4, seed: 5, paths: 1 });
    expect(alone.paths).toEqual(paths.slice(0, 1));
  });

  it('give the paths that the target samples without the draft, where both race with the same numbers', async () => {
    const { source } = tokensOf(series, chronos);
    const settings = { temperature: 1, topK: 50, seed: 5, numReturnSequences: 3, maxNewTokens: 6 };
    const idsOf = async (options: object) => {
      const { sequences, metrics } = await model.generate(source, { ...settings, ...options, verification: 'coupled' });
      return { ids: sequences.map(({ ids }) => ids), proposed: metrics.proposed };
    };
    const [speculative, plain] = [await idsOf({ gamma: 2 }), await idsOf({ speculative: false })];
    expect(speculative.ids).toEqual(plain.ids);
    expect(speculative.proposed).toBeGreaterThan(0);
    expect(plain.proposed).toBe(0);
  });
});
