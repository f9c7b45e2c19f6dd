import type { Encoded, ForwardOptions, SequenceModel } from '../../engine';
import { DecodingError } from '../errors';
import { fixedGamma } from '../gamma/adaptive';
import { automaticGamma } from '../gamma/automatic';
import { type CostWay, PairCosts } from '../gamma/pair-costs';
import { DEFAULTS } from '../settings';
import type { Drafter, DraftSession } from './drafter';
import type { GrownTree, GrowthItem } from './growth';
import { type GuessedItem, Guesser } from './guesser';
import { growGuessed } from './staged';

/** What drafts for a model that drafts itself. */
export interface FirstStage {
  readonly drafter: Drafter;
  /** How many tokens it guesses at a time. What the model proposes does not depend on it. Default 'auto': as many as pay. */
  readonly gamma?: number | 'auto';
}

/** A sequence for which a model drafts; nothing may guess for it. */
export interface ModelItem extends GrowthItem {
  readonly guesser: Guesser | null;
}

/** A session of a model that drafts, which may have a draft of its own. */
interface GuessedSession extends DraftSession {
  guesser: Guesser | null;
}

/** What guesses for a model that drafts. All sequences share what they learn of its costs. */
export class Guesses {
  private readonly costs = new PairCosts();

  /** @throws DecodingError `vocabulary-mismatch` */
  constructor(
    private readonly stage: FirstStage,
    private readonly model: SequenceModel,
    private readonly options: ForwardOptions,
  ) {
    const { name, vocabularySize: found } = stage.drafter;
    if (found === model.vocabularySize) return;
    const expected = `expected a vocabulary of ${model.vocabularySize}`;
    throw new DecodingError('vocabulary-mismatch', `draft ${name}: ${expected}, found ${found}`);
  }

  nameOf(name: string): string {
    return `${name}, drafted by ${this.stage.drafter.name}`;
  }

  /** Gives a session of the model its guesser. A session that gets none is disposed. */
  async open<Session extends GuessedSession>(
    session: Session,
    source: readonly number[],
    encoded?: Encoded,
    signal?: AbortSignal,
  ): Promise<Session> {
    const { costs, stage } = this;
    const { drafter, gamma = 'auto' } = stage;
    const chooser = (way: CostWay) =>
      gamma === 'auto' ? automaticGamma(costs[way], DEFAULTS.adaptiveGamma, false) : fixedGamma(gamma);
    try {
      session.guesser = new Guesser(await drafter.open(source, encoded, signal), chooser);
      return session;
    } catch (error) {
      session.dispose();
      throw error;
    }
  }

  /** Drafts for several sequences; null where the model has to draft alone, as for a tree. */
  grow(items: readonly ModelItem[]): Promise<GrownTree[]> | null {
    const guessed = items.filter(isGuessed);
    if (guessed.length < items.length) return null;
    return growGuessed(this.model, guessed, this.options, this.stage.drafter);
  }
}

function isGuessed(item: ModelItem): item is GuessedItem {
  return item.guesser !== null && item.request.branching === undefined;
}
