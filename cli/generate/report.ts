import type { Comparison } from '../../api';
import { counted } from '../../common';
import {
  addTallies,
  DEFAULTS,
  draftingWay,
  type Metrics,
  measuredSpeedup,
  metricsOf,
  type Tally,
} from '../../decoding';
import { facts } from '../table';
import type { Outcome, Setting } from './printer';

/** What the report is computed from. */
export interface Report {
  /** All runs together; c, v and the predicted speed-up where decoding without the draft was measured too. */
  readonly total: Metrics;
  /** Decoding of the same inputs without the draft; null where it was not asked for. */
  readonly plain: Tally | null;
  /** Inputs that were decoded both ways, and those of them that gave the same tokens. */
  readonly compared: number;
  readonly equal: number;
  /** Seconds of all inputs together. */
  readonly seconds: number;
}

/** Adds outcomes up. Every figure of the report follows from these sums. */
export function totalOf(outcomes: readonly Outcome[], seconds: number): Report {
  const comparisons = outcomes.map(({ comparison }) => comparison).filter((one): one is Comparison => one !== null);
  const plain =
    comparisons.length === 0 ? null : addTallies(comparisons.map(({ autoregressive }) => autoregressive.metrics));
  const results = outcomes.map(({ result }) => result.metrics);
  const [first] = results;
  const total = metricsOf(addTallies(results), {
    gamma: results.every(({ gamma }) => gamma === first.gamma) ? first.gamma : undefined, // it adapts: its mean stands for it
    plain: plain ?? undefined,
    exact: results.every(({ exact }) => exact),
  });
  const equal = comparisons.filter((one) => one.equal).length;
  return { total, plain, compared: comparisons.length, equal, seconds };
}

/** The report over all results: what came out, what it cost, and whether it is what the target alone gives. */
export function reportOf(outcomes: readonly Outcome[], setting: Setting, seconds: number): string {
  const { tandem, colours, options } = setting;
  const report = totalOf(outcomes, seconds);
  const { total, plain } = report;
  const perCall = colours.bold(total.tokensPerTargetCall.toFixed(2));
  const rows: [string, string][] = [
    ['on', machine(setting)],
    [
      'tokens a target call',
      `${perCall} (${counted(total.newTokens, 'token')}, ${counted(total.targetCalls, 'call')})`,
    ],
  ];
  if (tandem.drafter !== null && options.gamma !== 0) rows.push(['acceptance', acceptance(total)]);
  if (!total.exact) {
    const why = `lenience ${options.lenience} accepts draft tokens more often than the target’s distribution allows`;
    rows.push(['exact', `${colours.red('NO')}: ${why}`]);
  }
  if (plain === null) rows.push(['time', `${duration(seconds)}, ${rate({ newTokens: total.newTokens, seconds })}`]);
  else {
    rows.push(['cost', costs(total)], ['speed-up', speed(total, plain, setting)], ['equal', equality(report, setting)]);
  }
  return facts(rows, colours.dim);
}

function machine({ tandem, options }: Setting): string {
  const { name, level, wide, threads } = tandem.backend;
  const { numBeams = 1, gamma, temperature = 0 } = options;
  const drafts = tandem.drafter !== null && gamma !== 0;
  const choice = temperature === 0 ? 'greedy' : `temperature ${temperature}, ${seedOf(options, drafts)}`;
  const way = numBeams > 1 ? `${numBeams} beams` : choice;
  const how = drafts ? `${proposals(options)}, ${way}` : way;
  return `${name} (${level}${wide?.on ? ', wide' : ''}), ${counted(threads, 'thread')}, ${tandem.target.dtype}; ${how}`;
}

/** The seed, where it fixes the text. */
function seedOf(options: Setting['options'], drafts: boolean): string {
  const { seed } = options;
  const { gamma, verification } = draftingWay(options);
  if (seed === undefined && drafts && gamma === 'auto' && verification !== 'coupled') return 'no seed';
  return `seed ${seed ?? DEFAULTS.seed}`;
}

/** How many tokens are proposed each round, and how they are verified where that is not the default. */
function proposals(options: Setting['options']): string {
  const { costs, branching } = options;
  const { gamma, verification } = draftingWay(options);
  const way = verification === 'token' ? '' : `, ${verification} verification`;
  if (branching) return `branching ${branching.join(' × ')}${way}`;
  if (!costs) return `${gamma === 'auto' ? 'γ adapts' : `γ = ${gamma}`}${way}`;
  const table = [costs.c, ...costs.v].map((cost) => Number(cost.toFixed(3))).join(',');
  return `γ adapts to --costs ${table}${way}`;
}

function acceptance({ acceptanceRate, accepted, proposed, acceptedShare, meanAcceptedLength }: Metrics): string {
  if (proposed === 0) return 'nothing was proposed';
  const share = `${accepted} of ${proposed} proposed tokens accepted (${acceptedShare.toFixed(2)})`;
  return `α ${acceptanceRate.toFixed(2)} estimated; ${share}, ${meanAcceptedLength.toFixed(2)} a round`;
}

function costs({ costRatio, verifyRatio }: Metrics): string {
  if (costRatio === null || verifyRatio === null) return 'nothing was proposed';
  return `c ${costRatio.toFixed(3)} (a draft step / a target step); v ${verifyRatio.toFixed(2)} (a verifying call / a target step)`;
}

function speed(total: Metrics, plain: Tally, { colours }: Setting): string {
  const measured = colours.bold(`${measuredSpeedup(total, plain).toFixed(2)}×`);
  const predicted = total.predictedSpeedup === null ? '' : `, ${total.predictedSpeedup.toFixed(2)}× predicted`;
  const times = `${duration(total.seconds)} (${rate(total)}) against ${duration(plain.seconds)} (${rate(plain)}) without the draft`;
  return `${measured} measured${predicted}; ${times}`;
}

function equality({ compared, equal, total }: Report, { options, colours }: Setting): string {
  if (!total.exact) return `${equal} of ${compared}: with lenience below 1 the text may differ from the target’s`;
  if ((options.temperature ?? 0) > 0 && draftingWay(options).verification !== 'coupled') {
    return `${equal} of ${compared}: samples have the same distribution, and differ from each other`;
  }
  return equal === compared
    ? `${colours.green('yes')}: with and without the draft, the same ${counted(total.newTokens, 'token')}`
    : `${colours.red('NO')}: ${compared - equal} of ${compared} differ with and without the draft`;
}

function duration(seconds: number): string {
  return seconds < 10 ? `${(seconds * 1000).toFixed(0)} ms` : `${seconds.toFixed(1)} s`;
}

function rate({ newTokens, seconds }: Pick<Tally, 'newTokens' | 'seconds'>): string {
  return `${(newTokens / seconds).toFixed(0)} tokens/s`;
}
