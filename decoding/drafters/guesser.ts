import type { GammaChooser } from '../gamma/adaptive';
import type { CostWay } from '../gamma/pair-costs';
import { costWayOf } from '../gamma/way';
import type { DraftRequest, DraftSession } from './drafter';
import type { GrowthItem } from './growth';

/** A sequence for which a model drafts, and what guesses for it. */
export interface GuessedItem extends GrowthItem {
  readonly guesser: Guesser;
}

/** What guesses along one sequence. */
export class Guesser {
  private readonly choosers = new Map<CostWay, GammaChooser>();

  /** @param chooserFor makes what chooses how much is guessed. What the model proposes does not depend on it, so it may follow clocks */
  constructor(
    readonly session: DraftSession,
    private readonly chooserFor: (way: CostWay) => GammaChooser,
  ) {}

  /** What chooses how much is guessed where logits become tokens in this way. */
  chooserOf({ processing, numbers }: DraftRequest): GammaChooser {
    const way = costWayOf(processing, numbers !== undefined);
    const chooser = this.choosers.get(way) ?? this.chooserFor(way);
    this.choosers.set(way, chooser);
    return chooser;
  }
}
