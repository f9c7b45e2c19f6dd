import { CostKeeper } from '../../../api/costs/keeper';

/** A keeper of costs that say how many rounds they have learnt from, and what its store was given. */
function made(costs: object = { steps: 1 }) {
  const saved: number[] = [];
  const learnt = { rounds: 0, keep: () => (Object.keys(costs).length > 0 ? { rounds: learnt.rounds } : {}) };
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const store = { save: async ({ rounds }: { rounds: number }) => gate.then(() => void saved.push(rounds)) };
  const keeper: CostKeeper = Reflect.construct(CostKeeper, [learnt, store]);
  const learn = (rounds: number) => {
    learnt.rounds = rounds;
    keeper.afterCall();
  };
  return { keeper, learnt, saved, learn, release };
}

describe('costs of a pair', () => {
  it('are kept after 24 rounds, and again when twice as many and 24 more are known', async () => {
    const { keeper, saved, learn, release } = made();
    release();
    for (let rounds = 0; rounds <= 250; rounds++) learn(rounds);
    await keeper.close();
    expect(saved).toEqual([24, 72, 168, 250]);
  });

  it('are kept at the end where 24 rounds are new, and not where fewer are', async () => {
    for (const [first, end, expected] of [
      [0, 23, []],
      [0, 24, [24]],
      [24, 47, [24]],
      [24, 48, [24, 48]],
    ] as const) {
      const made_ = made();
      made_.release();
      made_.learn(first);
      made_.learnt.rounds = end;
      await made_.keeper.close();
      expect(made_.saved).toEqual(expected);
    }
  });

  it('are kept before the end is over, one after the other', async () => {
    const { keeper, learnt, saved, learn, release } = made();
    learn(24);
    learnt.rounds = 99;
    let closed = false;
    const closing = keeper.close().then(() => {
      closed = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect([closed, saved]).toEqual([false, []]);
    release();
    await closing;
    expect(saved).toEqual([24, 99]);
  });

  it('that say nothing make no file', async () => {
    const { keeper, saved, learn, release } = made({});
    release();
    learn(24);
    await keeper.close();
    expect(saved).toEqual([]);
  });
});
