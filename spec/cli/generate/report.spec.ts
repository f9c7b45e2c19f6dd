/** Each line of the report, and the condition under which it is there, from made-up figures. */
import { coloursFor } from '../../../cli/generate/paint';
import type { Outcome, Setting } from '../../../cli/generate/printer';
import { reportOf } from '../../../cli/generate/report';
import { addTallies, metricsOf, type Tally } from '../../../decoding';

const plainColours = coloursFor({}, false);

describe('the report of tandem generate', () => {
  const TALLY: Tally = {
    ...addTallies([]),
    newTokens: 12,
    rounds: 4,
    targetCalls: 4,
    draftCalls: 10,
    proposed: 16,
    proposedDepth: 16,
    accepted: 8,
    acceptanceSum: 9,
    acceptancePositions: 12,
    seconds: 2,
    targetSeconds: 1.2,
    draftSeconds: 0.5,
  };
  const PLAIN: Tally = { ...addTallies([]), newTokens: 12, rounds: 12, targetCalls: 12, seconds: 4, targetSeconds: 3 };

  type Change = { options?: object; backend?: object; drafter?: string | null; tally?: Tally; exact?: boolean };
  const setting = ({ options = {}, backend = {}, drafter = 'draft' }: Change): Setting =>
    ({
      tandem: {
        backend: { name: 'wasm', level: 'simd', wide: null, threads: 2, ...backend },
        drafter,
        target: { dtype: 'f32' },
      },
      options,
      colours: plainColours,
    }) as unknown as Setting;
  const outcome = ({ tally = TALLY, exact = true }: Change, equal?: boolean): Outcome => {
    const result = { metrics: metricsOf(tally, { gamma: 4, exact }) };
    const comparison = equal === undefined ? null : { autoregressive: { metrics: metricsOf(PLAIN) }, equal };
    return { result, comparison } as unknown as Outcome;
  };
  const lines = (change: Change = {}, equal: readonly (boolean | undefined)[] = [undefined], seconds = 2) => {
    const outcomes = equal.map((one) => outcome(change, one));
    const rows = reportOf(outcomes, setting(change), seconds).trimEnd().split('\n');
    return Object.fromEntries(rows.map((row) => row.split(/ {2,}/, 2)));
  };

  it('of one text says where it ran, what it took and what was accepted', () => {
    expect(lines({ options: { gamma: 4 } })).toEqual({
      on: 'wasm (simd), 2 threads, f32; γ = 4, greedy',
      'tokens a target call': '3.00 (12 tokens, 4 calls)',
      acceptance: 'α 0.75 estimated; 8 of 16 proposed tokens accepted (0.50), 2.00 a round',
      time: '2000 ms, 6 tokens/s',
    });
    expect(lines({}, [undefined, undefined], 20).time).toBe('20.0 s, 1 tokens/s');
    expect(lines({}, [undefined], 9.9999).time).toBe('10000 ms, 1 tokens/s');
    expect(lines({}, [undefined], 10).time).toBe('10.0 s, 1 tokens/s');
  });

  it.each<[Change, string]>([
    [{ backend: { threads: 1 }, options: { gamma: 4 } }, 'wasm (simd), 1 thread, f32; γ = 4, greedy'],
    [{ backend: { wide: { on: true } }, options: { gamma: 4 } }, 'wasm (simd, wide), 2 threads, f32; γ = 4, greedy'],
    [{ backend: { wide: { on: false } }, options: { gamma: 4 } }, 'wasm (simd), 2 threads, f32; γ = 4, greedy'],
    [{ drafter: null }, 'wasm (simd), 2 threads, f32; greedy'],
    [{ options: { gamma: 0 } }, 'wasm (simd), 2 threads, f32; greedy'],
    [{ options: { numBeams: 4, gamma: 0 } }, 'wasm (simd), 2 threads, f32; 4 beams'],
    [{ options: { gamma: 7 } }, 'wasm (simd), 2 threads, f32; γ = 7, greedy'],
    [{ options: { gamma: 'auto' } }, 'wasm (simd), 2 threads, f32; γ adapts, greedy'],
    [{}, 'wasm (simd), 2 threads, f32; γ adapts, greedy'],
    [
      { options: { temperature: 1, seed: 3 } },
      'wasm (simd), 2 threads, f32; γ adapts, coupled verification, temperature 1, seed 3',
    ],
    [
      { options: { temperature: 1, verification: 'token' } },
      'wasm (simd), 2 threads, f32; γ = 4, temperature 1, seed 0',
    ],
    [{ options: { temperature: 0.5, gamma: 2 } }, 'wasm (simd), 2 threads, f32; γ = 2, temperature 0.5, seed 0'],
    [
      { options: { temperature: 1, gamma: 2, seed: 7, verification: 'block' } },
      'wasm (simd), 2 threads, f32; γ = 2, block verification, temperature 1, seed 7',
    ],
    [
      { options: { costs: { c: 0.12345, v: [1, 1.5] } } },
      'wasm (simd), 2 threads, f32; γ adapts to --costs 0.123,1,1.5, greedy',
    ],
    [{ options: { branching: [3, 2] } }, 'wasm (simd), 2 threads, f32; branching 3 × 2, greedy'],
  ])('with %j ran %s', (change, expected) => {
    expect(lines(change).on).toBe(expected);
  });

  it('has no line of acceptance without proposals, and says where nothing was proposed', () => {
    expect(lines({ drafter: null })).not.toHaveProperty('acceptance');
    expect(lines({ options: { gamma: 0 } })).not.toHaveProperty('acceptance');
    expect(lines({ tally: { ...TALLY, proposed: 0, accepted: 0 } }).acceptance).toBe('nothing was proposed');
  });

  it('of a comparison has costs, speed-ups and equality in place of the time', () => {
    const found = lines({}, [true, true]);
    expect(found.cost).toBe('c 0.200 (a draft step / a target step); v 1.20 (a verifying call / a target step)');
    expect(found['speed-up']).toMatch(
      /^2\.00× measured, 1\.53× predicted; 4000 ms \(6 tokens\/s\) against 8000 ms \(3 tokens\/s\) without the draft$/,
    );
    expect(found.equal).toBe('yes: with and without the draft, the same 24 tokens');
    expect(found).not.toHaveProperty('time');
    expect(lines({}, [true, false, undefined]).equal).toBe('NO: 1 of 2 differ with and without the draft');
    expect(lines({ tally: { ...TALLY, draftCalls: 0 } }, [true])).toMatchObject({
      cost: 'nothing was proposed',
      'speed-up': expect.stringMatching(/^2\.00× measured; /),
    });
  });

  it('promises equality only where there is one: not of samples, and not with lenience', () => {
    for (const way of [{ gamma: 4 }, { verification: 'token' }] as const) {
      const sampled = { options: { temperature: 1, ...way } };
      expect(lines(sampled, [true, false]).equal).toMatch(/^1 of 2: samples have the same distribution/);
    }
    for (const way of [{}, { gamma: 4, verification: 'coupled' }] as const) {
      const coupled = { options: { temperature: 1, ...way } };
      expect(lines(coupled, [true]).equal).toMatch(/^yes: /);
      expect(lines(coupled, [true, false]).equal).toMatch(/^NO: 1 of 2 differ/);
    }
    const lenient = lines({ exact: false, options: { lenience: 0.5 } }, [true]);
    expect(lenient.exact).toMatch(/^NO: lenience 0\.5 accepts draft tokens more often/);
    expect(lenient.equal).toMatch(/^1 of 1: with lenience below 1/);
    expect(lines()).not.toHaveProperty('exact');
  });
});
