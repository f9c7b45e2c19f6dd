import type { Comparison, Result } from '../../api';
import { facts } from '../table';
import type { Outcome, Setting } from './printer';

/** An outcome with what only its stream showed. */
export interface Finished extends Outcome {
  /** Tokens that the target put in place of a rejected one. */
  readonly corrections: number;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const milliseconds = (seconds: number) =>
  seconds < 10 ? `${(seconds * 1000).toFixed(0)} ms` : `${seconds.toFixed(1)} s`;

/**
 * The report over all results: what came out, what it cost, and whether it is what the target alone gives.
 *
 * @param seconds of all inputs together
 */
export function reportOf(finished: readonly Finished[], setting: Setting, seconds: number): string {
  return facts(reportRows(finished, setting, seconds), setting.colours.dim);
}

function reportRows(finished: readonly Finished[], setting: Setting, seconds: number): [string, string][] {
  const { tandem, colours } = setting;
  const metrics = finished.map(({ result }) => result.metrics);
  const tokens = sum(metrics.map((m) => m.newTokens));
  const calls = sum(metrics.map((m) => m.targetCalls));
  const rows: [string, string][] = [
    ['on', machine(setting)],
    ['tokens a target call', `${colours.bold((tokens / calls).toFixed(2))} (${tokens} tokens, ${calls} calls)`],
  ];
  if (tandem.drafter && setting.options.gamma !== 0) rows.push(['acceptance', acceptance(finished)]);
  const { lenience = 1 } = setting.options;
  if (lenience < 1) {
    const why = `lenience ${lenience} keeps draft tokens more often than the target’s distribution allows`;
    rows.push(['exact', `${colours.red('NO')}: ${why}`]);
  }
  const compared = finished.filter((one): one is Compared => one.comparison !== null);
  if (compared.length === 0) return [...rows, ['time', `${milliseconds(seconds)}, ${rate(tokens, seconds)}`]];
  return [
    ...rows,
    ['cost', costs(finished)],
    ['speed-up', speed(compared, setting)],
    ['equal', equality(compared, setting)],
  ];
}

type Compared = Finished & { readonly comparison: Comparison };

function machine({ tandem, options }: Setting): string {
  const { name, level, threads } = tandem.backend;
  const { gamma = 4, temperature = 0, seed = 0 } = options;
  const sampling = temperature === 0 ? 'greedy' : `temperature ${temperature}, seed ${seed}`;
  const how = tandem.drafter && gamma > 0 ? `${rounds(options)}, ${sampling}` : sampling;
  return `${name} (${level}), ${threads} thread${threads === 1 ? '' : 's'}, ${tandem.target.dtype}; ${how}`;
}

/** How many tokens are proposed a round, and how they are verified where that is not the usual way. */
function rounds({ gamma = 4, costs, branching, verification = 'token' }: Setting['options']): string {
  const way = verification === 'token' ? '' : `, ${verification} verification`;
  if (branching) return `candidates ${branching.join(' × ')}${way}`;
  if (!costs) return `γ = ${gamma}${way}`;
  const table = [costs.c, ...costs.v].map((cost) => Number(cost.toFixed(3))).join(',');
  return `γ adapts to costs ${table}${way}`;
}

/** α is a mean over verified positions (kept, or first to be rejected), so results weigh by those. */
function acceptance(finished: readonly Finished[]): string {
  const metrics = finished.map(({ result }) => result.metrics);
  const positions = finished.map(({ result, corrections }) => result.metrics.accepted + corrections);
  const alpha = sum(metrics.map((m, i) => m.acceptanceRate * positions[i])) / Math.max(1, sum(positions));
  const [accepted, proposed] = [sum(metrics.map((m) => m.accepted)), sum(metrics.map((m) => m.proposed))];
  const share =
    proposed === 0
      ? 'nothing proposed'
      : `${accepted} of ${proposed} proposed kept (${(accepted / proposed).toFixed(2)})`;
  const length = (accepted / sum(metrics.map((m) => m.rounds))).toFixed(2);
  return `α ${alpha.toFixed(2)} estimated; ${share}, ${length} a round`;
}

/** c and v, weighted by the calls that they are means of. */
function costs(finished: readonly Finished[]): string {
  const metrics = finished.map(({ result }) => result.metrics);
  const mean = (ratio: 'costRatio' | 'verifyRatio', calls: 'draftCalls' | 'targetCalls') =>
    sum(metrics.map((m) => (m[ratio] ?? 0) * m[calls])) / Math.max(1, sum(metrics.map((m) => m[calls])));
  const rows = sum(metrics.map((m) => m.proposed + m.rounds)) / sum(metrics.map((m) => m.rounds));
  const c = mean('costRatio', 'draftCalls').toFixed(3);
  const v = mean('verifyRatio', 'targetCalls').toFixed(2);
  return `c ${c} (a draft step / a target step); v ${v} (a call of ${rows.toFixed(1)} rows / of one)`;
}

function speed(compared: readonly Compared[], { colours }: Setting): string {
  const both = compared.map(({ comparison }) => comparison);
  const of = (pick: (one: Comparison) => Result) => ({
    tokens: sum(both.map((one) => pick(one).metrics.newTokens)),
    seconds: sum(both.map((one) => pick(one).metrics.seconds)),
  });
  const [fast, plain] = [of((one) => one.speculative), of((one) => one.autoregressive)];
  const measured = plain.seconds / plain.tokens / (fast.seconds / fast.tokens);
  // Times add up, so predictions combine by the time that each predicts.
  const predicted =
    fast.tokens / sum(both.map(({ speculative: { metrics: m } }) => m.newTokens / (m.predictedSpeedup ?? 1)));
  const times = `${milliseconds(fast.seconds)} (${rate(fast.tokens, fast.seconds)}) against ${milliseconds(plain.seconds)} autoregressively`;
  return `${colours.bold(`${measured.toFixed(2)}×`)} measured, ${predicted.toFixed(2)}× predicted; ${times}`;
}

function equality(compared: readonly Compared[], { options, colours }: Setting): string {
  const equal = compared.filter(({ comparison }) => comparison.equal).length;
  if ((options.lenience ?? 1) < 1) {
    return `${equal} of ${compared.length}: with lenience below 1 the text need not be the target’s`;
  }
  if ((options.temperature ?? 0) > 0) {
    return `not to be expected when sampling: the same distribution, other draws (${equal} of ${compared.length} equal)`;
  }
  const tokens = sum(compared.map(({ result }) => result.metrics.newTokens));
  return equal === compared.length
    ? `${colours.green('yes')}: with and without the draft, the same ${tokens} tokens`
    : `${colours.red('NO')}: ${compared.length - equal} of ${compared.length} differ with and without the draft`;
}

function rate(tokens: number, seconds: number): string {
  return `${(tokens / seconds).toFixed(0)} tokens/s`;
}
