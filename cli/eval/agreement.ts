import { distributionOf, overlap } from '../../decoding';
import type { LogitsView, SequenceModel } from '../../engine';

/** How far two models agree along the texts of the first. */
export interface Agreement {
  readonly positions: number;
  /** Share of positions at which both have the same most probable token: α of greedy decoding. */
  readonly greedy: number;
  /** Mean of Σ min(target, draft): α of sampling at temperature 1. */
  readonly sampled: number;
}

/** Sums over texts; `finish` gives the means. */
export class AgreementMeter {
  private positions = 0;
  private equal = 0;
  private shared = 0;

  constructor(
    private readonly target: SequenceModel,
    private readonly draft: SequenceModel,
  ) {}

  /** Adds one text of the target: its source ids and its ids, start token excluded. */
  async add(source: readonly number[], ids: readonly number[], signal: AbortSignal): Promise<void> {
    const [own, other] = [
      await viewOf(this.target, source, ids, signal),
      await viewOf(this.draft, source, ids, signal),
    ];
    try {
      const [best, proposed] = [await own.argMax(), await other.argMax()];
      for (let row = 0; row < ids.length; row++) {
        const context = { ids: [this.target.startToken, ...ids.slice(0, row)], eosTokens: this.target.eosTokens };
        const [target, draft] = [await own.read(row), await other.read(row)];
        this.equal += best[row] === proposed[row] ? 1 : 0;
        this.shared += overlap(
          distributionOf(target, context, { temperature: 1 }),
          distributionOf(draft, context, { temperature: 1 }),
        );
        this.positions++;
      }
    } finally {
      own.dispose();
      other.dispose();
    }
  }

  finish(): Agreement {
    const { positions } = this;
    return { positions, greedy: this.equal / positions, sampled: this.shared / positions };
  }
}

/** Logits before each of the ids, [ids, vocabulary]. */
async function viewOf(
  model: SequenceModel,
  source: readonly number[],
  ids: readonly number[],
  signal: AbortSignal,
): Promise<LogitsView> {
  const [encoded] = await model.encode([source], { signal });
  const stream = encoded.open();
  try {
    const tokens = [model.startToken, ...ids.slice(0, -1)];
    return await model.forward(tokens.map((token, position) => ({ stream, token, position, parent: position - 1 })));
  } finally {
    stream.dispose();
    encoded.dispose();
  }
}
