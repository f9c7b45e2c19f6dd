import type { Result } from '../api';
import { addTallies, metricsOf } from '../decoding';

/** What a request for completions cost, with OpenAI's names. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly completion_tokens_details: {
    /** Draft tokens that the target accepted. */
    readonly accepted_prediction_tokens: number;
    /** Draft tokens that were proposed and did not come out. */
    readonly rejected_prediction_tokens: number;
  };
}

/** What Tandem says beside OpenAI's fields. */
export interface Extra {
  /** The seed of the random numbers; null where nothing was drawn. With it the same request gives the same text. */
  readonly seed: number | null;
  /** False where lenience let the text leave the target's distribution. */
  readonly exact: boolean;
  readonly rounds: number;
  readonly target_calls: number;
  readonly draft_calls: number;
  readonly acceptance_rate: number;
  readonly tokens_per_target_call: number;
}

/** @param sources lengths of the sources, in ids */
export function usageOf(sources: readonly number[], results: readonly Result[]): Usage {
  const prompt = sources.reduce((sum, length) => sum + length, 0);
  const { newTokens, proposed, accepted } = addTallies(results.map(({ metrics }) => metrics));
  return {
    prompt_tokens: prompt,
    completion_tokens: newTokens,
    total_tokens: prompt + newTokens,
    completion_tokens_details: {
      accepted_prediction_tokens: accepted,
      rejected_prediction_tokens: proposed - accepted,
    },
  };
}

export function extraOf(results: readonly Result[], seed: number | null): Extra {
  const exact = results.every(({ metrics }) => metrics.exact);
  const metrics = metricsOf(addTallies(results.map((result) => result.metrics)), { exact });
  return {
    ...{ seed, exact },
    rounds: metrics.rounds,
    target_calls: metrics.targetCalls,
    draft_calls: metrics.draftCalls,
    acceptance_rate: metrics.acceptanceRate,
    tokens_per_target_call: metrics.tokensPerTargetCall,
  };
}
