import type { Encoded, SequenceModel, Source } from '../engine';
import type { Drafter, DraftSession } from './drafters/drafter';
import type { CostTable } from './gamma/adaptive';
import { checkSignal } from './run';
import type { Distribution } from './sampling/distribution';
import { sample } from './sampling/draw';
import { seededRandom } from './sampling/random';

export interface MeasureOptions {
  /** Source ids to measure on, EOS included, perhaps with a mask. */
  readonly source: Source;
  /** Rows of the largest target call measured. Default 8. */
  readonly rows?: number;
  /** How often each call is measured; the fastest counts, because the others include what else the machine did. Default 3. */
  readonly repeats?: number;
  /** Milliseconds. Default: performance.now. */
  readonly clock?: () => number;
  readonly signal?: AbortSignal;
  /** Awaited between two calls that are measured. */
  readonly betweenCalls?: () => Promise<void>;
}

/**
 * Measures c and v(k) of a pair once, for `Settings.costs`.
 *
 * @throws DecodingError `aborted`
 */
export async function measureCosts(
  target: SequenceModel,
  drafter: Drafter,
  options: MeasureOptions,
): Promise<CostTable> {
  const { source, rows = 8, repeats = 3, clock = () => performance.now(), signal } = options;
  const fastest = async (call: () => Promise<number>): Promise<number> => {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i <= repeats; i++) {
      await options.betweenCalls?.();
      checkSignal(signal);
      const start = clock();
      const units = await call();
      if (i > 0) best = Math.min(best, (clock() - start) / Math.max(1, units)); // the first call warms up
    }
    return best;
  };
  const [encoded] = await target.encode([source], { signal });
  try {
    const calls: number[] = [];
    for (let count = 1; count <= rows; count++) calls.push(await targetCall(target, encoded, count, fastest));
    const one = Math.max(calls[0], Number.MIN_VALUE);
    const session = await drafter.open(encoded.source, encoded, signal);
    const step = await draftStep(target, session, fastest).finally(() => session.dispose());
    return { c: step / one, v: calls.map((time) => time / one) };
  } finally {
    encoded.dispose();
  }
}

type Fastest = (call: () => Promise<number>) => Promise<number>;

/** Milliseconds of a target call of `count` rows that follow the start token. */
async function targetCall(target: SequenceModel, encoded: Encoded, count: number, fastest: Fastest): Promise<number> {
  const stream = encoded.open();
  const { startToken: token } = target;
  try {
    (await target.forward([{ stream, position: 0, token, parent: -1 }])).dispose();
    return await fastest(async () => {
      const rows = Array.from({ length: count }, (_, i) => ({ stream, position: 1 + i, token, parent: i - 1 }));
      const view = await target.forward(rows);
      await view.argMax(); // a backend may return before it has finished; reading waits
      view.dispose();
      stream.truncate(1);
      return 1;
    });
  } finally {
    stream.dispose();
  }
}

/** Number of draft tokens that a measurement asks for. */
const STEPS = 4;

/** Milliseconds a draft token. */
async function draftStep(target: SequenceModel, session: DraftSession, fastest: Fastest): Promise<number> {
  const random = seededRandom(0);
  const { startToken, eosTokens } = target;
  return fastest(async () => {
    const draw = (distribution: Distribution, position: number) =>
      sample(distribution, random, { sequence: 'costs', round: 0, position, purpose: 'propose' });
    const drawSeveral = (distribution: Distribution, _count: number, position: number) => [
      draw(distribution, position),
    ];
    const request = { ids: [startToken], gamma: STEPS, processing: {}, eosTokens, draw, drawSeveral };
    const proposal = await session.propose(request);
    session.rewind(0, []);
    return proposal.length;
  });
}
