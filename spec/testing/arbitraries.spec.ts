import fc from 'fast-check';
import { generate, modelDrafter, type Settings } from '../../decoding';
import { checkSettings } from '../../decoding/settings';
import { arbitrariesOf, samplerOutcomes, tableModel, targetOutcomes, totalVariation } from '../../testing/index';

const { table, prompt, settings, drafter, stop } = arbitrariesOf(fc);

describe('the arbitraries', () => {
  it('make settings that go together, and sources and drafters that decoding takes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ target: table(5), draft: table(5), source: prompt(5), how: settings(5), make: drafter() }),
        async ({ target, draft, source, how, make }) => {
          checkSettings(how, 5);
          const [one, other] = [tableModel(target), tableModel(draft)];
          expect(how.maxNewTokens).toBeGreaterThan(0);
          expect(source.length).toBeGreaterThan(0);
          expect(typeof make(one, other).open).toBe('function');
          const run = generate({ target: one, drafter: modelDrafter(other), source, settings: how });
          const last = await run.next().catch((error: Error & { code?: string }) => error.code);
          if (typeof last === 'string') expect(last).toBe('no-token-left'); // bad words can forbid all that is left
          await run.return();
          expect(one.open() + other.open()).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('state the law in one line: texts have the target’s distribution (total variation ≤ 1e-12)', async () => {
    await fc.assert(
      fc.asyncProperty(table(3), table(3), settings(3), stop(), async (target, draft, how, { eosTokens }) => {
        fc.pre(how.verification !== 'coupled'); // its numbers are continuous: the seed fixes the text instead
        const ended = { ...target, eosTokens };
        const request = { target: tableModel(ended), settings: { ...how, maxNewTokens: 3 } satisfies Settings };
        const found = await samplerOutcomes({ request, drafter: modelDrafter(tableModel(draft)) }).catch(none);
        if (found !== null)
          expect(totalVariation(found, targetOutcomes(ended, request.settings))).toBeLessThanOrEqual(1e-12);
      }),
      { numRuns: 10 },
    );
  });
});

/** Rules can forbid every token; decoding refuses that. */
function none(error: Error & { code?: string }): null {
  if (error.code !== 'no-token-left') throw error;
  return null;
}
