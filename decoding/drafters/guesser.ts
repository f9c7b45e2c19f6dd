import type { Encoded } from '../../engine';
import { DecodingError } from '../errors';
import { fixedGamma, type GammaChooser } from '../gamma/adaptive';
import { automaticGamma } from '../gamma/automatic';
import { type CostWay, PairCosts } from '../gamma/learnt';
import { isPlainGreedy } from '../sampling/processors';
import { DEFAULTS } from '../settings';
import type { Drafter, DraftRequest, DraftSession } from './drafter';
import type { GrowthItem } from './growth';
import type { GuessedItem } from './staged';

/** What drafts for a model that drafts itself. */
export interface FirstStage {
  readonly drafter: Drafter;
  /** How many tokens it guesses at a time. What the model proposes does not depend on it. Default 'auto': as many as pay. */
  readonly gamma?: number | 'auto';
}

/** What guesses for a model that drafts. All sequences share what they learn of its costs. */
export class Guesses {
  readonly drafter: Drafter;
  private readonly gamma: number | 'auto';
  private readonly costs = new PairCosts();

  /** @throws DecodingError `vocabulary-mismatch` */
  constructor({ drafter, gamma = 'auto' }: FirstStage, vocabularySize: number) {
    this.drafter = drafter;
    this.gamma = gamma;
    const { name, vocabularySize: found } = drafter;
    if (found === vocabularySize) return;
    throw new DecodingError(
      'vocabulary-mismatch',
      `draft ${name}: expected a vocabulary of ${vocabularySize}, found ${found}`,
    );
  }

  async open(source: readonly number[], encoded?: Encoded, signal?: AbortSignal): Promise<Guesser> {
    const { gamma, costs } = this;
    const chooser = (way: CostWay) =>
      gamma === 'auto' ? automaticGamma(costs[way], DEFAULTS.adaptiveGamma) : fixedGamma(gamma);
    return new Guesser(await this.drafter.open(source, encoded, signal), chooser);
  }

  /** The items with what guesses for each; null where a model has to draft alone, as for a tree. */
  itemsOf(items: readonly GrowthItem[]): GuessedItem[] | null {
    const guessed = items.filter(isGuessed);
    return guessed.length === items.length ? guessed : null;
  }
}

function isGuessed(item: GrowthItem): item is GuessedItem {
  return item.guesser != null && item.request.branching === undefined;
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
    const way = isPlainGreedy(processing) ? 'greedy' : numbers ? 'coupled' : 'sampled';
    const chooser = this.choosers.get(way) ?? this.chooserFor(way);
    this.choosers.set(way, chooser);
    return chooser;
  }
}
