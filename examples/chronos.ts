/**
 * Forecasts a series with Chronos-T5 (Ansari et al. 2024, arXiv 2403.07815): a value is a token. The series is divided by its mean absolute
 * value, each value falls into one of thousands of bins, and a bin's number is a token. Missing values are hidden by a mask. Many paths
 * are sampled from one encode, and their quantiles are the forecast.
 *
 *   const model = await Tandem.load('amazon/chronos-t5-base', { draft: 'amazon/chronos-t5-tiny' });
 *   const { low, median, high } = await forecast(model, series, { config: chronosConfig, horizon: 24 });
 */
import type { MaskedInput, Tandem } from 'tandem-t5';

/** `chronos_config` of the checkpoint's config.json. */
export interface ChronosConfig {
  readonly tokenizer_kwargs: { readonly low_limit: number; readonly high_limit: number };
  readonly n_tokens: number;
  readonly n_special_tokens: number;
  readonly pad_token_id: number;
  readonly eos_token_id: number;
  readonly context_length: number;
  readonly temperature: number;
  readonly top_k: number;
}

/** Middle of bin `i`; the bins lie evenly between the limits. */
function centerOf(i: number, { tokenizer_kwargs: { low_limit, high_limit }, ...config }: ChronosConfig): number {
  const last = config.n_tokens - config.n_special_tokens - 2;
  return low_limit + ((high_limit - low_limit) * Math.min(Math.max(i, 0), last)) / last;
}

/** Tokens of a series, and its scale. A missing value is NaN. */
export function tokensOf(series: readonly number[], config: ChronosConfig): { source: MaskedInput; scale: number } {
  const context = series.slice(-config.context_length);
  const known = context.filter((value) => !Number.isNaN(value));
  const scale = known.reduce((sum, value) => sum + Math.abs(value), 0) / known.length || 1;
  const bins = config.n_tokens - config.n_special_tokens - 1;
  const step = centerOf(1, config) - centerOf(0, config);
  const tokenOf = (value: number) => {
    const bin = Math.floor((value / scale - centerOf(0, config)) / step + 0.5); // the bin whose middle is nearest
    return config.n_special_tokens + Math.min(Math.max(bin, 0), bins - 1) + 1;
  };
  const ids = context.map((value) => (Number.isNaN(value) ? config.pad_token_id : tokenOf(value)));
  const mask = context.map((value) => (Number.isNaN(value) ? 0 : 1));
  return { source: { ids: [...ids, config.eos_token_id], mask: [...mask, 1] }, scale };
}

export interface Forecast {
  /** 10 %, 50 % and 90 % quantiles of each step. */
  readonly low: number[];
  readonly median: number[];
  readonly high: number[];
  readonly paths: number[][];
}

/** Samples paths and takes the quantiles of each step. */
export async function forecast(
  model: Tandem,
  series: readonly number[],
  {
    config,
    horizon,
    paths: count = 20,
    seed = 0,
  }: { config: ChronosConfig; horizon: number; paths?: number; seed?: number },
): Promise<Forecast> {
  const { source, scale } = tokensOf(series, config);
  const { sequences } = await model.generate(source, {
    ...{ numReturnSequences: count, temperature: config.temperature, topK: config.top_k, seed },
    ...{ maxNewTokens: horizon, minNewTokens: horizon, suppressTokens: [config.pad_token_id] },
  });
  const paths = sequences.map(({ ids }) => ids.map((id) => scale * centerOf(id - config.n_special_tokens - 1, config)));
  const quantile = (share: number) =>
    Array.from({ length: horizon }, (_, step) => {
      const sorted = paths.map((path) => path[step]).sort((a, b) => a - b);
      const at = share * (count - 1);
      const below = sorted[Math.floor(at)];
      return below + (at % 1) * (sorted[Math.ceil(at)] - below);
    });
  return { low: quantile(0.1), median: quantile(0.5), high: quantile(0.9), paths };
}
