import { enumerate, furthest, type Outcomes, totalVariation } from '../enumerator';
import { targetOutcomes } from '../exactness';
import { type Steps, smallLoop, type World } from '../small-loop';
import { randomTable } from '../table-model';

/** What a check measured, and the case in which it measured that. */
export interface Finding {
  readonly value: number;
  /** The case in words, such as the text whose probability is furthest from the target's. */
  readonly example: string;
}

/** A wrong version of a step, and what its check measures. */
export interface WrongStep {
  readonly name: string;
  readonly measure: () => Promise<Finding>;
}

/** The finding with the largest value. */
export function worstOf(findings: readonly Finding[]): Finding {
  return findings.reduce((worst, finding) => (finding.value > worst.value ? finding : worst));
}

/** Total variation between what came out and what should, with the outcome that differs most. `where` names the models. */
export function distanceFinding(found: Outcomes, wanted: Outcomes, where: string): Finding {
  const [outcome, seen, right] = furthest(found, wanted);
  const example = `${where}: '${outcome}' has ${seen.toFixed(4)}, the target gives it ${right.toFixed(4)}`;
  return { value: totalVariation(found, wanted), example };
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
  readonly mutants: readonly WrongStep[];
}

/** Two random models over three tokens, one of which is EOS. */
export function worldOf(seed: number, changes: Partial<World> = {}): World {
  const eosTokens = [1];
  const target = { vocabulary: 3, logits: randomTable(3, seed), eosTokens };
  const draft = { vocabulary: 3, logits: randomTable(3, seed + 500), eosTokens };
  return { target, draft, processing: { temperature: 1 }, maxNewTokens: 3, gamma: 2, ...changes };
}

/** The largest total variation, over four pairs of models, between the texts of a loop with these steps and the target's own. */
export async function textDistance(steps: Steps, changes: Partial<World> = {}): Promise<Finding> {
  const findings: Finding[] = [];
  for (const seed of [3, 4, 5, 6]) {
    const world = worldOf(seed, changes);
    const texts = await enumerate(async (random) => smallLoop(world, random, steps).join());
    const wanted = targetOutcomes(world.target, { ...world.processing, maxNewTokens: world.maxNewTokens });
    findings.push(distanceFinding(texts, wanted, `models ${seed}`));
  }
  return worstOf(findings);
}
