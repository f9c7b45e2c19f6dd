import { enumerate, totalVariation } from './enumerator';
import { targetOutcomes } from './exactness';
import { type Steps, smallLoop, type World } from './small-loop';
import { randomTable } from './table-model';

/** A wrong version of a step, and the distance that its check measures. */
export interface Wrong {
  readonly name: string;
  readonly measure: () => Promise<number>;
}

/** Wrong versions that one check catches. */
export interface Family {
  /** The check's name, as the table prints it. */
  readonly check: string;
  /** The unit of what it measures. */
  readonly unit: string;
  /** The largest measure that the shipped code may have. */
  readonly limit: number;
  /** Every wrong version measures more than this. */
  readonly caught: number;
  readonly shipped: () => Promise<number>;
  readonly mutants: readonly Wrong[];
}

/** Two random models over three tokens, one of which is EOS. */
export function worldOf(seed: number, changes: Partial<World> = {}): World {
  const eosTokens = [1];
  const target = { vocabulary: 3, logits: randomTable(3, seed), eosTokens };
  const draft = { vocabulary: 3, logits: randomTable(3, seed + 500), eosTokens };
  return { target, draft, processing: { temperature: 1 }, maxNewTokens: 3, gamma: 2, ...changes };
}

/** The largest total variation, over four pairs of models, between the texts of a loop with these steps and the target's own. */
export async function textDistance(steps: Steps, changes: Partial<World> = {}): Promise<number> {
  let worst = 0;
  for (const seed of [3, 4, 5, 6]) {
    const world = worldOf(seed, changes);
    const texts = await enumerate(async (random) => smallLoop(world, random, steps).join());
    const wanted = targetOutcomes(world.target, { ...world.processing, maxNewTokens: world.maxNewTokens });
    worst = Math.max(worst, totalVariation(texts, wanted));
  }
  return worst;
}
