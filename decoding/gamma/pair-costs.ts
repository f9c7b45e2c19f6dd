import { type KeptWay, WayCosts } from './learnt';

/** What is kept between runs of a program: plain data. */
export type KeptCosts = { readonly [Way in CostWay]?: KeptWay };

/** Ways of turning logits into tokens that differ in what they cost: arg-max, coupled verification, and every other. */
export const COST_WAYS = ['greedy', 'coupled', 'sampled'] as const;
export type CostWay = (typeof COST_WAYS)[number];

/** What decoding with one target and one drafter costs on this machine. Give one object to all runs of the pair (`Pair.costs`). */
export class PairCosts implements Record<CostWay, WayCosts> {
  readonly greedy: WayCosts;
  readonly coupled: WayCosts;
  readonly sampled: WayCosts;

  /** @param kept of an earlier run of the program, on the same machine with the same models */
  constructor(kept: KeptCosts = {}) {
    this.greedy = new WayCosts(kept.greedy);
    this.coupled = new WayCosts(kept.coupled);
    this.sampled = new WayCosts(kept.sampled);
  }

  /** Rounds that were seen. One of several ways counts for each of them. */
  get rounds(): number {
    return COST_WAYS.reduce((sum, way) => sum + this[way].rounds, 0);
  }

  /** What is worth keeping for the next run of the program. */
  keep(): KeptCosts {
    const kept: { [Way in CostWay]?: KeptWay } = {};
    for (const way of COST_WAYS) {
      const found = this[way].keep();
      if (found) kept[way] = found;
    }
    return kept;
  }
}
