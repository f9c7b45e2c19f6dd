import type { ProveJob } from '../../../cli/prove/job';
import { checkGreedy } from '../../../cli/prove/models';

describe('the check of greedy decoding', () => {
  it('counts the tokens of both γ, a call of the target for each of them without a draft, and fewer with it', async () => {
    const steps: unknown[] = [];
    const job = {
      ...{ seed: 2, texts: 1, signal: new AbortController().signal },
      backends: [
        { name: 'gpu', available: false, reason: 'no device' },
        { name: 'wasm', available: true, reason: 'simd; as asked' },
      ],
      onStep: (...step: unknown[]) => steps.push(step),
    } as unknown as ProveJob;
    const [check, ...others] = await checkGreedy(job);
    expect([others, steps]).toEqual([[], [['greedy', 1, 1]]]);
    expect(check).toMatchObject({ group: 'greedy', passed: true, failure: null });
    expect(check.name).toBe('wasm (simd): the bits of decoding without a draft');
    const counts = /^(\d+) tokens .*, (\d+) target calls in place of (\d+)$/.exec(check.measured) ?? [];
    const [tokens, calls, plain] = counts.slice(1).map(Number);
    expect(plain).toBe(tokens);
    expect(calls).toBeLessThan(plain);
    expect(calls).toBeGreaterThanOrEqual(tokens / (1 + 8)); // γ is at most 8
  });
});
