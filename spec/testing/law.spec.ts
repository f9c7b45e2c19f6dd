import { modelDrafter, PAPERS_RULE, verifyBlock, verifyTokens } from '../../decoding';
import { checkDrafter, checkRule, checkVerifier, DRAFTERS, MUTANTS, onChain } from '../../testing/index';
import { exactSteps } from '../../testing/small-loop';

describe('the law, for a drafter, a rule or a verifier of one’s own', () => {
  it('holds for a drafter that ships', async () => {
    expect(await checkDrafter(DRAFTERS.copy, { cases: 30 })).toMatchObject({
      exact: true,
      cases: 30,
      counterexample: null,
    });
  });

  it('holds for the paper’s rule, and for token and block verification', async () => {
    expect(await checkRule(PAPERS_RULE, { cases: 5 })).toMatchObject({ exact: true, cases: 5 });
    expect(await checkVerifier(exactSteps.verify, { cases: 5 })).toMatchObject({ exact: true, cases: 5 });
    expect(await checkVerifier(onChain(verifyBlock))).toMatchObject({ exact: true, cases: 20 });
  });

  it.each(MUTANTS.filter(({ rule }) => rule).map(({ name, rule }) => [name, rule] as const))(
    'fails for a rule that %s, and gives a text',
    async (_, rule) => {
      const { exact, counterexample, message } = await checkRule(rule as NonNullable<typeof rule>, { cases: 5 });
      expect(exact).toBe(false);
      expect(Math.abs((counterexample?.target ?? 0) - (counterexample?.sampler ?? 0))).toBeGreaterThan(1e-3);
      expect(message).toMatch(
        /^not exact: token, .*, models \d+: text [\d,]+ has [\d.e-]+, the target gives it [\d.e-]+$/,
      );
    },
  );

  it.each(MUTANTS.filter(({ drafter }) => drafter).map(({ name, drafter }) => [name, drafter] as const))(
    'fails for a drafter that %s',
    async (_, wrap) => {
      const report = await checkDrafter((_, draft) => wrap?.(modelDrafter(draft)) ?? modelDrafter(draft), {
        cases: 25,
      });
      expect(report.exact).toBe(false);
    },
  );

  it('fails for a verifier that corrects from the target', async () => {
    const wrong = onChain((proposal, targets, random, at) =>
      verifyTokens(proposal, targets, random, at, { ...PAPERS_RULE, residual: (target) => target }),
    );
    expect(await checkVerifier(wrong, { seed: 9, cases: 5 })).toMatchObject({ exact: false });
  });

  it('refuses a drafter that keeps a stream, and one that has chance of its own', async () => {
    const keeps = checkDrafter((_, draft) => {
      const inner = modelDrafter(draft);
      const open = async (source: readonly number[]) => ({ ...(await inner.open(source)), dispose: () => undefined });
      return {
        ...inner,
        proposeAll: undefined,
        open: async (source) => Object.assign(await inner.open(source), { dispose: (await open(source)).dispose }),
      };
    });
    await expect(keeps).rejects.toMatchObject({
      code: 'argument-invalid',
      message: expect.stringMatching(/were not disposed/),
    });
    let calls = 0;
    const moody = checkDrafter((_, draft) => {
      const inner = modelDrafter(draft);
      const open: typeof inner.open = async (source) => {
        const session = await inner.open(source);
        return Object.assign(Object.create(session), {
          propose: async (request: Parameters<typeof session.propose>[0]) =>
            calls++ % 2 === 0 ? [] : session.propose(request),
        });
      };
      return { ...inner, proposeAll: undefined, open };
    });
    await expect(moody).rejects.toMatchObject({
      code: 'argument-invalid',
      message: expect.stringMatching(/random numbers alone/),
    });
  });

  it('tells its progress and ends by its signal', async () => {
    const told: number[] = [];
    const controller = new AbortController();
    const onCase = (done: number, total: number) => {
      told.push(done, total);
      if (done === 3) controller.abort();
    };
    await expect(checkRule(PAPERS_RULE, { onCase, signal: controller.signal })).rejects.toThrow(/abort/);
    expect(told).toEqual([1, 25, 2, 25, 3, 25]);
  });
});
