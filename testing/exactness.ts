import {
  collect,
  type Drafter,
  distributionOf,
  type GenerationRequest,
  type GenerationResult,
  generate,
  probabilityOf,
  type Settings,
} from '../decoding';

import { enumerate, type Naming, type Outcomes } from './enumerator';
import type { TableOptions } from './table-model';

/** Runs a generation to its end. */
export async function finish(request: GenerationRequest): Promise<GenerationResult> {
  return collect(generate(request));
}

/** Source ids of every enumerated run. */
export const SOURCE: readonly number[] = [2, 0, 1];

/**
 * The target's own distribution over texts, computed from its logits by the chain rule, without a loop, a cache or a sampler. A
 * text ends at EOS, at the length limit, or after one of `stops`.
 */
export function targetOutcomes(table: TableOptions, settings: Settings, stops: readonly number[] = []): Outcomes {
  const outcomes: Outcomes = new Map();
  const { vocabulary, logits, eosTokens = [] } = table;
  const walk = (ids: readonly number[], mass: number): void => {
    const ended = ids.length > 1 && [...eosTokens, ...stops].includes(ids[ids.length - 1]);
    if (ended || ids.length - 1 === settings.maxNewTokens) {
      outcomes.set(ids.slice(1).join(), mass);
      return;
    }
    const context = { ids, eosTokens, source: SOURCE, maxNewTokens: settings.maxNewTokens };
    const distribution = distributionOf(logits(ids, []), context, settings);
    for (let token = 0; token < vocabulary; token++) {
      const probability = probabilityOf(distribution, token);
      if (probability > 0) walk([...ids, token], mass * probability);
    }
  };
  walk([0], 1);
  return outcomes;
}

export interface Sampler {
  readonly request: Omit<GenerationRequest, 'source' | 'random' | 'drafter'>;
  readonly drafter: Drafter | null;
  readonly naming?: Naming;
}

/** The sampler's distribution over texts: the shipped loop, run through every path. */
export function samplerOutcomes({ request, drafter, naming }: Sampler): Promise<Outcomes> {
  return enumerate(async (random) => {
    const { ids } = await finish({ ...request, drafter, source: SOURCE, random });
    return ids.join();
  }, naming);
}
