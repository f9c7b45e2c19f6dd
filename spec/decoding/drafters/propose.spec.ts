import fc from 'fast-check';
import {
  type Drafter,
  firstOf,
  generateBatch,
  modelDrafter,
  randomDrafter,
  type SequenceRequest,
} from '../../../decoding';
import { finish } from '../../support/exactness';
import { randomTable, tableModel } from '../../support/table-model';

const VOCABULARY = 8;
const SOURCE = [3, 1];
const table = (seed: number) =>
  tableModel({ vocabulary: VOCABULARY, logits: randomTable(VOCABULARY, seed), eosTokens: [1] });

type Turns = Parameters<NonNullable<Drafter['proposeAll']>>[0];

/** The drafter, which tells of each call before it drafts, and what came of it after. */
function watched(drafter: Drafter, before: (turns: Turns) => void, after: () => void = () => undefined): Drafter {
  const proposeAll = async (turns: Turns) => {
    before(turns);
    const found = await (drafter.proposeAll as NonNullable<Drafter['proposeAll']>)(turns);
    after();
    return found;
  };
  return { ...drafter, proposeAll };
}

describe('what a round asks of a draft', () => {
  const gammas = fc.array(fc.nat(4), { maxLength: 12 });

  it('is asked for in one call of all sequences that want tokens, never for none, and never past the longest text', async () => {
    const cases = fc.record({ seed: fc.nat(999), lists: fc.array(gammas, { minLength: 1, maxLength: 3 }) });
    await fc.assert(
      fc.asyncProperty(cases, async ({ seed, lists }) => {
        const [maxNewTokens, draft] = [9, table(seed + 1)];
        let [asked, empty] = [0, 0];
        const drafter = watched(modelDrafter(draft), (turns) => {
          if (turns.length === 0) empty++;
          for (const { request } of turns) {
            expect(request.gamma).toBeGreaterThan(0);
            expect(request.ids.length + request.gamma).toBeLessThanOrEqual(maxNewTokens);
          }
          asked += turns.length;
        });
        const requests = lists.map((list): SequenceRequest => {
          return { source: SOURCE, gammas: list, settings: { maxNewTokens, minNewTokens: maxNewTokens } };
        });
        let rounds = 0;
        for await (const event of generateBatch({ target: table(seed), drafter }, requests)) {
          if (event.kind === 'failed') throw event.error;
          if (event.kind === 'done') rounds += event.result.metrics.rounds;
        }
        expect(empty).toBe(0);
        if (lists.every((list) => list.every((gamma) => gamma === 0))) expect(asked).toBe(0);
        expect(asked).toBeLessThanOrEqual(rounds);
        expect(draft.open()).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('goes to the next of several drafts only for sequences that have no proposal', async () => {
    const calls: number[] = [];
    const [silent, speaking] = [randomDrafter(VOCABULARY), randomDrafter(VOCABULARY)];
    const open: Drafter['open'] = async (source) => ({ ...(await speaking.open(source)), propose: async () => [] });
    const each = (drafter: Drafter, number: number): Drafter => ({
      ...drafter,
      proposeAll: async (turns) => {
        expect(turns.length).toBeGreaterThan(0);
        calls.push(number);
        return Promise.all(turns.map(({ session, request }) => session.propose(request)));
      },
    });
    const drafter = firstOf([each({ ...silent, open }, 0), each(speaking, 1), each(speaking, 2)]);
    const settings = { gamma: 2, maxNewTokens: 8, minNewTokens: 8 };
    const pair = { target: table(1), drafter };
    for await (const event of generateBatch(
      pair,
      [5, 6].map((seed) => ({ source: SOURCE, settings: { ...settings, seed } })),
    )) {
      if (event.kind === 'failed') throw event.error;
    }
    expect(calls.length).toBeGreaterThan(2);
    expect(calls).toEqual(calls.map((_, i) => i % 2));
  });

  it('is asked for again, of each sequence alone, where a call has drafted and then fails; texts are those of a sound draft', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(999), fc.integer({ min: 1, max: 4 }), fc.boolean(), async (seed, gamma, isTree) => {
        const draft = table(seed + 1);
        let [width, failures] = [0, 0];
        const drafter = watched(
          modelDrafter(draft),
          (turns) => {
            width = turns.length;
          },
          () => {
            if (width < 2) return;
            failures++;
            throw new Error('the shared call fails');
          },
        );
        const way = isTree ? { branching: [2, 1] } : { gamma };
        const requests = [1, 2, 3].map((one) => {
          const settings = { ...way, seed: one, temperature: 1, verification: 'token' as const };
          return { source: SOURCE, settings: { ...settings, maxNewTokens: 10, minNewTokens: 6 } };
        });
        const target = table(seed);
        for await (const event of generateBatch({ target, drafter }, requests)) {
          if (event.kind === 'failed') throw event.error;
          if (event.kind !== 'done') continue;
          const sound = await finish({ target, drafter: modelDrafter(table(seed + 1)), ...requests[event.index] });
          expect(event.result.ids).toEqual(sound.ids);
          expect(event.result.metrics.accepted).toBe(sound.metrics.accepted);
        }
        expect(failures).toBeGreaterThan(0);
        expect(draft.open()).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  it('fails for the sequence at fault alone, by its own error, whose draft is given back', async () => {
    const draft = table(2);
    const drafter = watched(modelDrafter(draft), (turns) => {
      if (turns.some(({ request: { source } }) => source?.[0] === 4))
        throw new Error('this source cannot be drafted for');
    });
    const requests = [3, 4, 5].map((id) => ({ source: [id, 1], settings: { gamma: 2, maxNewTokens: 8 } }));
    const target = table(1);
    const found: string[] = [];
    for await (const event of generateBatch({ target, drafter }, requests)) {
      if (event.kind === 'failed') found[event.index] = event.error.message;
      if (event.kind === 'done') found[event.index] = event.result.ids.join();
    }
    const [first, , third] = await Promise.all(requests.map((request) => finish({ target, ...request })));
    expect(found).toEqual([first.ids.join(), 'this source cannot be drafted for', third.ids.join()]);
    expect([target.open(), draft.open()]).toEqual([0, 0]);
  });
});
