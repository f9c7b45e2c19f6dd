import fc from 'fast-check';
import {
  copyDrafter,
  type Drafter,
  type DraftRequest,
  earlyExitDrafter,
  firstOf,
  generateBatch,
  modelDrafter,
  type Proposal,
  type Settings,
} from '../../../decoding';
import type { DraftStopping } from '../../../decoding/drafters/drafter';
import { finish, SOURCE } from '../../support/exactness';
import { randomTable, type TableModel, tableModel } from '../../support/table-model';

const VOCABULARY = 10;
const table = (seed: number, early = seed): TableModel => {
  const [logits, first] = [randomTable(VOCABULARY, seed), randomTable(VOCABULARY, early)];
  return tableModel({ vocabulary: VOCABULARY, logits, eosTokens: [1], early: first });
};

/** Stops by a rule of its own, whatever γ is; keeps what it was told, and what came of it. */
function stoppedBy(drafter: Drafter, longest: number, rule: (confidence: number | null, depth: number) => boolean) {
  const told: (number | null)[][] = [];
  const proposals: Proposal[] = [];
  const asked = (request: DraftRequest): DraftRequest => {
    const heard: (number | null)[] = [];
    told.push(heard);
    const goesOn: DraftStopping['goesOn'] = (confidence, depth) => {
      heard.push(confidence);
      expect(depth).toBe(heard.length);
      return rule(confidence, depth);
    };
    return { ...request, stopping: { longest, goesOn } };
  };
  const wrapped: Drafter = {
    ...drafter,
    proposeAll: undefined,
    open: async (...given) => {
      const session = await drafter.open(...given);
      return {
        get calls() {
          return session.calls;
        },
        propose: async (request) => {
          const proposal = await session.propose(asked(request));
          proposals.push(proposal);
          return proposal;
        },
        rewind: (length, path) => session.rewind(length, path),
        dispose: () => session.dispose(),
      };
    },
  };
  return { drafter: wrapped, told, proposals };
}

const DRAFTS: Readonly<Record<string, (target: TableModel, draft: TableModel) => Drafter>> = {
  'another model': (_, draft) => modelDrafter(draft),
  'another model with a draft of its own': (_, draft) =>
    modelDrafter(draft, 'draft', { drafter: earlyExitDrafter(draft, 1) }),
  'another model for which copying guesses': (_, draft) =>
    modelDrafter(draft, 'draft', { drafter: copyDrafter(VOCABULARY) }),
  'the target’s first layers': (target) => earlyExitDrafter(target, 1),
  'copying, and a model after it': (_, draft) => firstOf([copyDrafter(VOCABULARY), modelDrafter(draft)]),
};

const kinds = fc.constantFrom<Settings>(
  {},
  { temperature: 1, verification: 'coupled' },
  { temperature: 0.7, topK: 3, verification: 'coupled' },
);
const cases = fc.record({
  seed: fc.nat(9999),
  longest: fc.integer({ min: 1, max: 9 }),
  gamma: fc.integer({ min: 1, max: 6 }),
  kind: kinds,
  threshold: fc.double({ min: 0, max: 1, noNaN: true }),
});

describe.each(Object.entries(DRAFTS))('a proposal of %s that ends where the draft is not sure', (_, drafterOf) => {
  it('leaves the text as it is without a draft, and is no longer than it may be', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ seed, longest, gamma, kind, threshold }) => {
        const [target, draft] = [table(seed, seed + 3), table(seed + 1, seed + 2)];
        const { drafter, told, proposals } = stoppedBy(
          drafterOf(target, draft),
          longest,
          (confidence) => (confidence ?? 0) > threshold,
        );
        const settings = { ...kind, seed, gamma, maxNewTokens: 24 };
        const alone = await finish({ target, source: SOURCE, settings });
        const found = await finish({ target, drafter, source: SOURCE, settings });
        expect(found.ids).toEqual(alone.ids);
        for (const [i, proposal] of proposals.entries()) {
          if (told[i].length === 0) {
            expect(proposal.length).toBeLessThanOrEqual(gamma); // a drafter that does not say how sure it is
            continue;
          }
          expect(proposal.length).toBeLessThanOrEqual(longest);
          expect(told[i].length).toBe(proposal.length);
          for (const confidence of told[i].slice(0, -1)) expect(confidence).toBeGreaterThan(threshold);
        }
        expect([target.open(), draft.open()]).toEqual([0, 0]);
      }),
      { numRuns: 60 },
    );
  });
});

it.each(['another model with a draft of its own', 'another model for which copying guesses'] as const)(
  '%s stops where it stops without it, and is as sure',
  async (name) => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ seed, longest, gamma, kind, threshold }) => {
        const settings = { ...kind, seed, gamma, maxNewTokens: 24 };
        const [guessed, alone] = await Promise.all(
          [DRAFTS[name], DRAFTS['another model']].map(async (drafterOf) => {
            const [target, draft] = [table(seed), table(seed + 1, seed + 2)];
            const { drafter, told, proposals } = stoppedBy(
              drafterOf(target, draft),
              longest,
              (one) => (one ?? 0) > threshold,
            );
            await finish({ target, drafter, source: SOURCE, settings });
            return { told, tokens: proposals.map((proposal) => proposal.map(({ draw }) => draw.token)) };
          }),
        );
        expect(guessed).toEqual(alone);
      }),
      { numRuns: 60 },
    );
  },
);

describe('what a run asks of a draft', () => {
  /** What was asked in each round of a text with γ 'auto'. */
  async function askedWith(settings: Settings): Promise<DraftRequest[]> {
    const [target, draft] = [table(5), table(5)];
    const all: DraftRequest[] = [];
    const inner = modelDrafter(draft);
    const proposeAll: Drafter['proposeAll'] = async (turns) => {
      for (const { request } of turns) all.push({ ...request, ids: [...request.ids] });
      return (await inner.proposeAll?.(turns)) ?? [];
    };
    const requests = Array.from({ length: 30 }, (_, i) => ({
      source: SOURCE,
      settings: { ...settings, seed: settings.seed === undefined ? undefined : i, maxNewTokens: 20, minNewTokens: 20 },
    }));
    for (const request of requests) {
      for await (const event of generateBatch({ target, drafter: { ...inner, proposeAll } }, [request])) {
        if (event.kind === 'failed') throw event.error;
      }
    }
    return all;
  }

  it('is to stop where the text cannot depend on γ and γ is open, up to what may still come out', async () => {
    for (const settings of [{}, { temperature: 1, seed: 1 }, { repetitionPenalty: 1.2 }]) {
      const asked = await askedWith(settings);
      expect(asked.length).toBeGreaterThan(0);
      for (const { stopping, ids } of asked) expect(stopping?.longest).toBe(Math.min(32, 20 - ids.length));
    }
  });

  it('is not to stop where γ is a number, or where the text may depend on γ', async () => {
    for (const settings of [
      { gamma: 3 },
      { gamma: 3, temperature: 1, seed: 1 },
      { gamma: 'auto' as const, temperature: 1, verification: 'token' as const },
    ]) {
      for (const { stopping } of await askedWith(settings)) expect(stopping).toBeUndefined();
    }
  });
});
