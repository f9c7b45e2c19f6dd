import { comparison, type Result } from '../../../api';
import type { Outcome } from '../../../cli/generate/printer';
import { reportOf, totalOf } from '../../../cli/generate/report';
import { metricsOf, type Tally } from '../../../decoding';
import { inside, keepModels, records } from '../inside';

keepModels();

const TEXT = 'And the word of the LORD came unto Jonah the second time, saying, Arise, go unto Nineveh.';

describe('--compare', () => {
  it('says times per token without and with the draft, and their ratio is the measured speed-up', async () => {
    const [record] = await records(['generate', TEXT, '--compare']);
    const perToken = ({ metrics }: Result) => metrics.seconds / metrics.newTokens;
    expect(record.equal).toBe(true);
    expect(record.autoregressive).toMatchObject({ ids: record.ids, metrics: { draftCalls: 0 } });
    expect(record.measuredSpeedup).toBeCloseTo(perToken(record.autoregressive) / perToken(record), 9);
  });

  it('reports the same ratio as the times that it prints', async () => {
    const { stderr, stdout, status } = await inside(['generate', TEXT, '--compare']);
    expect({ status, stdout }).toEqual({ status: 0, stdout: (await inside(['generate', TEXT])).stdout });
    const line = /speed-up +([\d.]+)× measured.*; (\d+) ms \(\d+ tokens\/s\) against (\d+) ms/.exec(stderr);
    const [measured, fast, plain] = (line ?? []).slice(1).map(Number);
    // Each figure is rounded to its last place.
    expect(measured).toBeGreaterThanOrEqual((plain - 0.5) / (fast + 0.5) - 0.006);
    expect(measured).toBeLessThanOrEqual((plain + 0.5) / (fast - 0.5) + 0.006);
    expect(stderr).toMatch(/^equal +yes: with and without the draft, the same \d+ tokens$/m);
  });

  it('with lenience below 1 says that it is not exact, in JSON and in the report', async () => {
    const args = ['generate', TEXT, '-t', '1', '--lenience', '0.3'];
    const [{ metrics }] = await records(args);
    expect(metrics.exact).toBe(false);
    const { stderr } = await inside([...args, '--compare']);
    expect(stderr).toMatch(/^exact +NO: lenience 0\.3/m);
    expect(stderr).toMatch(/^equal +\d of 1: with lenience below 1/m);
  });
});

/** A run with figures that are easy to follow. */
function tally(changes: Partial<Tally> = {}): Tally {
  return {
    newTokens: 12,
    rounds: 4,
    targetCalls: 4,
    draftCalls: 16,
    proposed: 16,
    proposedDepth: 16,
    accepted: 8,
    acceptanceSum: 9,
    acceptancePositions: 12,
    seconds: 2,
    targetSeconds: 1.5,
    draftSeconds: 0.4,
    ...changes,
  };
}

const PLAIN = tally({
  rounds: 12,
  targetCalls: 12,
  draftCalls: 0,
  proposed: 0,
  proposedDepth: 0,
  accepted: 0,
  acceptanceSum: 0,
  acceptancePositions: 0,
  seconds: 3,
  targetSeconds: 3,
  draftSeconds: 0,
});

function result(sums: Tally, ids: readonly number[] = [5, 6, 1]): Result {
  const sequence = { text: '', ids, stopReason: 'eos' as const };
  return { ...sequence, sequences: [sequence], metrics: metricsOf(sums, { gamma: 4 }) };
}

function outcome(sums: Tally, plain: Tally, ids?: readonly number[]): Outcome {
  const compared = comparison(result(sums, ids), result(plain));
  return { result: compared.speculative, comparison: compared };
}

describe('the report over several inputs', () => {
  it('of one input has the figures of its comparison', () => {
    const one = outcome(tally(), PLAIN);
    const { total, plain, compared, equal } = totalOf([one], 2);
    expect(total).toEqual(one.comparison?.speculative.metrics);
    expect(plain).toMatchObject(PLAIN);
    expect([compared, equal]).toEqual([1, 1]);
    // c = (0.4 / 16) / (3 / 12), v = (1.5 / 4) / (3 / 12)
    expect(total.costRatio).toBeCloseTo(0.1, 12);
    expect(total.verifyRatio).toBeCloseTo(1.5, 12);
    expect(one.comparison?.measuredSpeedup).toBeCloseTo(1.5, 12);
  });

  it('adds sums up and divides at the end: a long input counts more than a short one', () => {
    const long = tally({ newTokens: 36, rounds: 12, targetCalls: 12, acceptanceSum: 33, acceptancePositions: 36 });
    const { total } = totalOf([outcome(tally(), PLAIN), outcome(long, PLAIN)], 4);
    expect(total.newTokens).toBe(48);
    expect(total.tokensPerTargetCall).toBe(3);
    expect(total.acceptanceRate).toBeCloseTo(42 / 48, 12);
  });

  it('counts inputs whose tokens differ, and says NO', () => {
    const outcomes = [outcome(tally(), PLAIN), outcome(tally(), PLAIN, [5, 7, 1]), outcome(tally(), PLAIN, [5, 6])];
    expect(totalOf(outcomes, 1)).toMatchObject({ compared: 3, equal: 1 });
    const colours = { bold: String, dim: String, red: String, green: String } as never;
    const backend = { name: 'cpu', level: 'scalar', threads: 1 };
    const tandem = { backend, drafter: 'draft', target: { dtype: 'f32' } } as never;
    const setting = { tandem, options: { gamma: 4 }, colours, showcase: false, terminal: false, several: true };
    expect(reportOf(outcomes, setting, 1)).toMatch(/^equal +NO: 2 of 3 differ/m);
    expect(reportOf(outcomes.slice(0, 1), setting, 1)).toMatch(/^equal +yes/m);
    expect(reportOf(outcomes.slice(0, 1), setting, 1)).toMatch(
      /^speed-up +1\.50× measured, .*; 2000 ms .* against 3000 ms/m,
    );
  });
});
