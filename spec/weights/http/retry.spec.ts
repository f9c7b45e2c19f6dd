import fc from 'fast-check';
import { TransientFailure } from '../../../weights/http/failures';
import { pauseByClock, retryAfterMs, withRetries } from '../../../weights/http/retry';

/** How one attempt ends: with success, with an error that is final, or with a failure that may pass. */
type Attempt = 'success' | 'final' | { readonly gained: boolean; readonly asked: number | null };

const attempt: fc.Arbitrary<Attempt> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom<Attempt>('success', 'final') },
  { weight: 6, arbitrary: fc.record({ gained: fc.boolean(), asked: fc.option(fc.integer({ min: 0, max: 400_000 })) }) },
);

describe('retries', () => {
  it('end at the first success, the first final error, the last try, or a wait that is too long; pauses are what the rule says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(attempt, { maxLength: 30 }), fc.integer({ min: 1, max: 6 }), async (script, tries) => {
        const pauses: number[] = [];
        const notices: number[] = [];
        let next = 0;
        const final = new Error('final');
        const policy = {
          tries,
          pause: async (milliseconds: number) => void pauses.push(milliseconds),
          onRetry: ({ pauseMs }: { pauseMs: number }) => void notices.push(pauseMs),
        };
        const run = async () => {
          const step = script[next++] ?? 'success';
          if (step === 'success') return 'done';
          throw step === 'final' ? final : new TransientFailure('broken', step.asked);
        };
        const gained = async () => (script[next - 1] as { gained: boolean }).gained;
        const outcome = await withRetries('x', policy, run, gained).catch((error) => error);

        // The rule once more, by simple means.
        const expected: number[] = [];
        let failures = 0;
        let end: unknown = 'done';
        for (const step of script) {
          if (step === 'success') break;
          if (step === 'final') {
            end = final;
            break;
          }
          failures = step.gained ? 0 : failures + 1;
          if (failures === tries || (step.asked ?? 0) > 300_000) {
            end = 'gave up';
            break;
          }
          const grown = [500, 500, 1000, 2000, 4000, 8000][failures];
          expected.push(Math.max(step.asked ?? 0, grown));
        }
        expect(pauses).toEqual(expected);
        expect(notices).toEqual(expected);
        if (end === 'gave up') expect(outcome).toBeInstanceOf(TransientFailure);
        else expect(outcome).toBe(end);
      }),
      { numRuns: 500 },
    );
  });

  it('pause for no longer than 8 s by themselves', async () => {
    const pauses: number[] = [];
    const pause = async (milliseconds: number) => void pauses.push(milliseconds);
    const fail = async () => {
      throw new TransientFailure('broken');
    };
    await expect(withRetries('x', { tries: 9, pause }, fail)).rejects.toThrow('broken');
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 8000, 8000, 8000]);
  });
});

describe('a pause', () => {
  it('ends when its time is over, and forgets the signal', async () => {
    const abort = new AbortController();
    const remove = jest.spyOn(abort.signal, 'removeEventListener');
    await pauseByClock(1, abort.signal);
    await pauseByClock(1, undefined);
    expect(remove).toHaveBeenCalledTimes(1);
  });

  it('ends at once when it is cancelled, before or meanwhile', async () => {
    const hour = 3_600_000;
    await expect(pauseByClock(hour, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
    const abort = new AbortController();
    const pause = pauseByClock(hour, abort.signal);
    abort.abort();
    await expect(pause).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('the time that a server asks to wait', () => {
  const NOW = Date.parse('2025-01-01T00:00:00Z');
  it.each<[Record<string, string>, number | null]>([
    [{}, null],
    [{ 'retry-after': '3' }, 3000],
    [{ 'retry-after': ' 0 ' }, 0],
    [{ 'retry-after': 'Wed, 01 Jan 2025 00:00:10 GMT' }, 10_000],
    [{ 'retry-after': 'Tue, 31 Dec 2024 00:00:10 GMT' }, 0],
    [{ 'retry-after': 'never' }, null],
    [{ ratelimit: '"api";r=0;t=12' }, 12_000],
    [{ ratelimit: '"api";r=0' }, null],
    [{ 'retry-after': '3', ratelimit: '"api";r=0;t=12' }, 3000],
  ])('of %j is %p', (headers, expected) => {
    expect(retryAfterMs(new Headers(headers), NOW)).toBe(expected);
  });
});
