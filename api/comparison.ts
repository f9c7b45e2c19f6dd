import { measuredSpeedup, metricsOf } from '../decoding';
import type { Comparison, Result } from './types';

/**
 * Puts two finished runs of one input side by side: with the draft, and without it. The run without is the unit of c, v and the
 * predicted speed-up (Leviathan et al. 2023, theorem 3.8, with v beside it).
 */
export function comparison(speculative: Result, autoregressive: Result): Comparison {
  const { gamma, exact } = speculative.metrics;
  const metrics = metricsOf(speculative.metrics, { gamma, exact, plain: autoregressive.metrics });
  return {
    speculative: { ...speculative, metrics },
    autoregressive,
    equal:
      autoregressive.ids.length === speculative.ids.length &&
      autoregressive.ids.every((id, i) => id === speculative.ids[i]),
    measuredSpeedup: measuredSpeedup(speculative.metrics, autoregressive.metrics),
  };
}
