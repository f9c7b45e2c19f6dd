import { PairCosts } from '../../decoding';
import type { CostParts } from './parts';
import { type CostStore, openCosts } from './store.node';

/** Rounds that are worth a file. */
const LEAST_ROUNDS = 24;

/** The costs of a loaded pair, and when they are kept. */
export class CostKeeper {
  private savedRounds = 0;
  private saving: Promise<void> = Promise.resolve();

  private constructor(
    readonly costs: PairCosts,
    private readonly store: CostStore,
  ) {}

  /** @param tell is given what is wrong with a file of costs */
  static async open(parts: CostParts, tell: (message: string) => void): Promise<CostKeeper> {
    const store = await openCosts(parts, tell);
    return new CostKeeper(new PairCosts(store.kept), store);
  }

  /** After a call: keeps what was learnt when twice as much is known as before, so that a program that is killed has learnt too. */
  afterCall(): void {
    if (this.costs.rounds >= LEAST_ROUNDS + 2 * this.savedRounds) this.save();
  }

  /** At the end: waits until all is kept. */
  async close(): Promise<void> {
    if (this.costs.rounds >= LEAST_ROUNDS + this.savedRounds) this.save();
    await this.saving;
  }

  private save(): void {
    this.savedRounds = this.costs.rounds;
    const costs = this.costs.keep();
    if (Object.keys(costs).length > 0) this.saving = this.saving.then(() => this.store.save(costs));
  }
}
