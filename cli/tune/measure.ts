import type { GenerateOptions, Result, Tandem } from '../../api';
import { addTallies, type CostTable, DEFAULTS, measuredSpeedup, metricsOf, smoothed, type Tally } from '../../decoding';
import { bestOf, predictedCurve } from './predict';

/** One γ, timed beside decoding without a draft. */
export interface Point {
  readonly gamma: number;
  readonly predicted: number;
  /** Seconds a token without the draft / with it. */
  readonly measured: number;
  readonly tokensPerSecond: number;
  readonly plainTokensPerSecond: number;
  /** Whether the texts were the same as without the draft. At temperature 0 they always are. */
  readonly equal: boolean;
}

/** What a draft achieves on the texts and this machine. */
export interface DraftFigures {
  readonly alpha: number;
  readonly proposing: number;
  readonly costs: CostTable;
  /** Predicted speed-ups by γ, from 0 up. */
  readonly curve: readonly number[];
  /** The γ that is predicted to be best; 0 where none pays. */
  readonly gamma: number;
  /** By γ, upwards; none where no γ pays and none was asked for. */
  readonly points: readonly Point[];
}

export interface DraftJob {
  readonly texts: readonly Text[];
  readonly options: GenerateOptions;
  /** γ to time beside the one that is predicted to be best. */
  readonly gammas: readonly number[];
  readonly signal: AbortSignal;
  /** v(1), v(2), … of the target, where they are known; else they are measured. */
  readonly v?: readonly number[];
  /** Hears of what is done, from 0 to 1. */
  readonly onStep: (share: number) => void;
}

/** A text, or the source ids. */
export type Text = string | readonly number[];

/** γ of the run that α is taken from. */
const TRIAL_GAMMA = DEFAULTS.fixedGamma;
/** The largest γ that is considered. A larger one that is asked for is timed all the same. */
export const LARGEST_GAMMA = DEFAULTS.adaptiveGamma;

/** How often each call is measured for c and v. The fastest counts. */
const REPEATS = 5;

/** Measures the draft of a loaded pair. */
export async function measureDraft(tandem: Tandem, job: DraftJob): Promise<DraftFigures> {
  const { texts, options, signal, onStep } = job;
  const { truncate } = options;
  const middle = texts[texts.length >> 1];
  const rows = job.v === undefined ? LARGEST_GAMMA + 1 : 1;
  const found = smoothed(await tandem.measureCosts(middle, { rows, repeats: REPEATS, truncate, signal }));
  const costs = { c: found.c, v: job.v ?? found.v };
  const results = await tandem.generate([...texts], { ...options, gamma: TRIAL_GAMMA, signal });
  const trial = addTallies(results.map(metricsOfResult));
  const alpha = metricsOf(trial).acceptanceRate;
  const proposing = trial.rounds === 0 ? 0 : Math.min(1, trial.proposedDepth / (TRIAL_GAMMA * trial.rounds));
  const achieved = { alpha, proposing, costs };
  const curve = predictedCurve(achieved, LARGEST_GAMMA);
  const gamma = bestOf(curve);
  const timed = [...new Set([...job.gammas, ...(gamma > 0 ? [gamma] : [])])].sort((a, b) => a - b);
  const points: Point[] = [];
  for (const [i, one] of timed.entries()) {
    const predicted = predictedCurve(achieved, one)[one];
    const onText = (done: number) => onStep((i + done / texts.length) / timed.length);
    points.push({ gamma: one, predicted, ...(await time(tandem, one, job, onText)) });
  }
  return { alpha, proposing, costs, curve, gamma, points };
}

function metricsOfResult(result: { readonly error?: Error; readonly metrics?: Tally }): Tally {
  if (result.metrics === undefined) throw result.error;
  return result.metrics;
}

/** Decodes each text with the draft and without it, in turns. */
async function time(
  tandem: Tandem,
  gamma: number,
  { texts, options, signal }: DraftJob,
  onText: (done: number) => void,
): Promise<Omit<Point, 'gamma' | 'predicted'>> {
  const runs: { speculative: Result; autoregressive: Result; equal: boolean }[] = [];
  for (const text of texts) {
    runs.push(await tandem.compare(text, { ...options, gamma, signal }));
    onText(runs.length);
  }
  const drafted = addTallies(runs.map((run) => run.speculative.metrics));
  const plain = addTallies(runs.map((run) => run.autoregressive.metrics));
  return {
    measured: measuredSpeedup(drafted, plain),
    tokensPerSecond: drafted.newTokens / drafted.seconds,
    plainTokensPerSecond: plain.newTokens / plain.seconds,
    equal: runs.every((run) => run.equal),
  };
}

/** Tokens a second without a draft, for a target that no draft was timed for. The first text is decoded twice, to warm up. */
export async function plainSpeed(tandem: Tandem, { texts, options, signal }: DraftJob): Promise<number> {
  const tallies: Tally[] = [];
  for (const text of [texts[0], ...texts]) {
    tallies.push((await tandem.generate(text, { ...options, speculative: false, signal })).metrics);
  }
  const { newTokens, seconds } = addTallies(tallies.slice(1));
  return newTokens / seconds;
}
