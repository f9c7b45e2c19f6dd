import { measuredSpeedup, metricsOf } from '../decoding';
import type { Comparison, GenerateOptions, GenerateResult } from './types';

type Lengths = Pick<GenerateOptions, 'gamma' | 'costs' | 'branching'>;

/** Puts two finished runs of one input side by side. */
export function comparison(
  speculative: GenerateResult,
  autoregressive: GenerateResult,
  { costs }: Lengths = {},
): Comparison {
  const equal =
    autoregressive.ids.length === speculative.ids.length &&
    autoregressive.ids.every((id, i) => id === speculative.ids[i]);
  const { gamma, exact } = speculative.metrics;
  const options = { gamma: costs ? undefined : gamma, exact, plain: autoregressive.metrics };
  return {
    speculative: { ...speculative, metrics: metricsOf(speculative.metrics, options) },
    autoregressive,
    equal,
    measuredSpeedup: measuredSpeedup(speculative.metrics, autoregressive.metrics),
  };
}
