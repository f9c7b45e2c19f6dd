import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChronosConfig, forecast, tokensOf } from '../../examples/chronos';
import { Tandem } from '../../index';
import { relativeError } from '../support/goldens';
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
