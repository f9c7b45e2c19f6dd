import { automaticGamma } from '../../../decoding/gamma/automatic';
import { WayCosts } from '../../../decoding/gamma/learnt';
import { PairCosts } from '../../../decoding/gamma/pair-costs';
import { bestFixed, decode, number, type World } from '../../support/gamma-world';

const cheap = (rows: number) => 8 * (1 + 0.12 * (rows - 1));
const dear = (rows: number) => 4 * (1 + 0.75 * (rows - 1));
const GOOD: World = { call: cheap, step: 0.8, opening: 12, alpha: 0.85 };

describe("γ 'auto'", () => {
  it.each([
    ['a draft that never agrees', { ...GOOD, alpha: 0 }],
    ['a draft that never agrees, where rows are dear', { call: dear, step: 0.5, opening: 6, alpha: 0 }],
    ['a fair draft, where rows are dear', { call: dear, step: 1, opening: 6, alpha: 0.6 }],
    ['a fair draft that is as slow as the target', { call: cheap, step: 8, opening: 20, alpha: 0.6 }],
    ['a draft that never agrees, and reads what it missed', { ...GOOD, alpha: 0, reading: 0.4 }],
    [
      'a draft that never agrees, is slow, and reads slowly',
      { call: cheap, step: 5, opening: 16, alpha: 0, reading: 1 },
    ],
  ])('%s costs at most 8 rounds at the first, 2 % of 32 texts, and 1.2 % of the next 64', (_what, world) => {
    const costs = new WayCosts();
    const first = decode(world, costs, { texts: 1 });
    expect(first.time - first.plain).toBeLessThan(8 * world.call(1));
    const { time, plain } = decode(world, costs, { texts: 32 });
    expect(time / plain).toBeLessThan(1.02);
    const later = decode(world, costs, { texts: 64 });
    expect(later.time / later.plain).toBeLessThan(1.012);
    expect(Math.max(...later.gammas)).toBeGreaterThan(0); // it is still tried
  });

  it.each([2, 3, 4])('finds out soon that a draft pays whose first steps take %i times as long', (slow) => {
    const world = { ...GOOD, alpha: 0.97, step: 3, warming: (rounds: number) => (rounds < 6 ? slow : 1) };
    const { time, plain } = decode(world, new WayCosts(), { texts: 4 });
    expect(time / plain).toBeLessThan(0.95);
  });

  it('gets over beginnings of texts whose first 8 tokens are not what the draft proposes', () => {
    const world = { ...GOOD, call: (rows: number) => 8 * (1 + 0.3 * (rows - 1)), step: 0.6, opening: 8, alpha: 0.8 };
    const { time, plain } = decode({ ...world, hard: 8 }, new WayCosts(), { texts: 6 });
    expect(time / plain).toBeLessThan(0.9);
  });

  it('is not ended by a slow moment among the first rounds that propose', () => {
    for (const slow of [10, 30, 60, 120]) {
      const costs = new WayCosts();
      const chooser = automaticGamma(costs, 32);
      let [proposing, plain] = [0, 0];
      for (let i = 0; i < 168; i++) {
        const gamma = chooser.next({ streams: 1, isOpen: proposing > 0, left: 128 - (i % 128) });
        const kept = Math.min(gamma, 3);
        if (gamma > 0) proposing++;
        else plain++;
        const opened = gamma > 0 && proposing === 1 ? 1 : 0;
        const draftMs = gamma > 0 && proposing <= 2 ? slow : 0.2 * gamma; // a plain round takes 3 ms
        const caughtUp = gamma > 0 && chooser.isCatchingUp === true;
        const counted = { streams: 1, rows: 1 + gamma, steps: gamma, tokens: kept + 1, opened, caughtUp };
        costs.learn({ ...counted, draftMs, targetMs: 3 + 0.3 * gamma, openingMs: 2 * opened });
        chooser.finished(gamma, kept);
      }
      expect([slow, proposing > plain]).toEqual([slow, true]);
    }
  });

  it('tries a draft that never agrees in less than one of 100 rounds once that is known, however little a try costs', () => {
    const costs = new WayCosts();
    const world = { ...GOOD, opening: 0, step: 0.01, call: (rows: number) => 8 * (1 + 0.04 * (rows - 1)), alpha: 0 };
    decode(world, costs, { texts: 16 });
    const { gammas } = decode(world, costs, { texts: 64, tokens: 100 });
    const tries = gammas.filter((gamma) => gamma > 0).length;
    expect(tries / gammas.length).toBeLessThan(0.01);
    expect(tries).toBeGreaterThan(5);
  });

  it('tries a draft that is slow as often later as at first', () => {
    const costs = new WayCosts();
    const world = { call: cheap, step: 5, opening: 16, alpha: 0, reading: 1 };
    decode(world, costs, { texts: 32 });
    const tries = [0, 1].map(() => decode(world, costs, { texts: 192 }).gammas.filter((gamma) => gamma > 0).length);
    expect(tries[0]).toBeGreaterThan(10);
    expect(tries[1]).toBeGreaterThan(0.7 * tries[0]);
  });

  describe('the first plain round after others, which is slow,', () => {
    const costs = new WayCosts();
    const round = (rows: number, targetMs: number) => {
      const what = { streams: 1, rows, steps: rows - 1, tokens: rows, draftMs: (rows - 1) * 0.5, targetMs };
      costs.learn({ ...what, openingMs: 0, opened: 0, caughtUp: false });
    };
    for (const targetMs of [4, 4, 4]) round(1, targetMs);
    for (let i = 0; i < 7; i++) round(2, 6);

    it('says nothing where rounds of both kinds take turns', () => {
      for (let i = 0; i < 40; i++) round((i % 2) + 1, i % 2 ? 6 : 7);
      expect(costs.cost(1, 1)).toBeCloseTo(6.5 / 4, 9);
    });

    it('is followed by others before it is over, each time that plain decoding is timed', () => {
      const timed = Array.from({ length: 12 }, () => {
        do round(2, 6);
        while (!costs.wantsPlain(1));
        let count = 0;
        for (; costs.wantsPlain(1); count++) round(1, count === 0 ? 7 : 4);
        return count;
      });
      expect(timed).toEqual(Array.from({ length: 12 }, () => 3));
      expect(costs.cost(1, 1)).toBeCloseTo(6.5 / 4, 9);
    });
  });

  it.each([0.5, 0.7, 0.85, 0.95])('comes within 10 % of the best fixed γ over 32 texts at α = %d', (alpha) => {
    const world = { ...GOOD, alpha };
    const costs = new WayCosts();
    decode(world, costs, { texts: 4 });
    const { time, plain } = decode(world, costs, { texts: 32, tokens: 128 });
    expect(time / plain).toBeLessThan(bestFixed(world) * 1.1 + 0.01);
  });

  it('is not led astray by a machine that is three times as slow in one call of ten', () => {
    let calls = 0;
    const noise = (time: number) => (number(9, calls++) < 0.105 ? 3 * time : time);
    const costs = new WayCosts();
    decode({ ...GOOD, noise }, costs, { texts: 4 });
    const { gammas } = decode({ ...GOOD, noise }, costs, { texts: 32 });
    const proposing = gammas.filter((gamma) => gamma > 2).length;
    expect(proposing / gammas.length).toBeGreaterThan(0.7);
  });

  it('is not led astray by first calls that are slow, as code that is not compiled yet', () => {
    let calls = 0;
    const noise = (time: number) => time * (1 + 6 / (1 + calls++ / 4));
    const costs = new WayCosts();
    decode({ ...GOOD, noise }, costs, { texts: 6 });
    const { time, plain } = decode(GOOD, costs, { texts: 16 });
    expect(time / plain).toBeLessThan(bestFixed(GOOD) * 1.2);
  });

  it.each([
    ['a target that is its own draft', 12, 3, { call: cheap, step: 4, opening: 0, alpha: 0.97 }],
    ['a small draft', 12, 8, { call: cheap, step: 0.6, opening: 4, alpha: 0.65 }],
  ])('%s whose first %d rounds take %d times as long is in use after 16 texts', (_what, slow, factor, world) => {
    const costs = new WayCosts();
    const reading = 0.1 * world.step;
    decode({ ...world, reading, warming: (rounds) => (rounds < slow ? factor : 1) }, costs, { texts: 16, tokens: 48 });
    const { time, plain } = decode(world, costs, { texts: 16, tokens: 48 });
    expect(time / plain).toBeLessThan(bestFixed(world) * 1.15);
  });

  it.each([1.1, 1.25, 1.5])(
    'does not take a draft for one that pays because the first plain round after others takes %d times as long',
    (turning) => {
      const world = { call: (rows: number) => 8 * (1 + 0.2 * (rows - 1)), step: 7.6, opening: 0, alpha: 0.99, turning };
      const costs = new WayCosts();
      decode(world, costs, { texts: 8 });
      const { time, plain } = decode(world, costs, { texts: 32 });
      expect(time / plain).toBeLessThan(1.015);
    },
  );

  it.each([1, 2, 4])('proposes more at once where a round begins with %d ms that do not grow with γ', (first) => {
    const world = { ...GOOD, step: 0.4, first, alpha: 0.8 };
    const costs = new WayCosts();
    decode(world, costs, { texts: 4 });
    const { time, plain } = decode(world, costs, { texts: 24, tokens: 128 });
    expect(time / plain).toBeLessThan(bestFixed(world) * 1.06 + 0.01);
  });

  it('goes on through rounds of bad luck with a draft that pays', () => {
    const world = { call: (rows: number) => 8 * (1 + 0.2 * (rows - 1)), step: 0.6, opening: 0, alpha: 0.6 };
    const costs = new WayCosts();
    decode(world, costs, { texts: 4 });
    const shares = Array.from({ length: 12 }, (_, seed) => {
      const { gammas } = decode(world, costs, { texts: 12, tokens: 48, seed });
      return gammas.filter((gamma) => gamma === 0).length / gammas.length;
    });
    expect(Math.max(...shares)).toBeLessThan(0.15);
  });

  it('finds out when a draft gets better', () => {
    const costs = new WayCosts();
    decode({ ...GOOD, alpha: 0 }, costs, { texts: 8 });
    decode(GOOD, costs, { texts: 24 });
    const { time, plain } = decode(GOOD, costs, { texts: 8 });
    expect(time / plain).toBeLessThan(0.6);
  });

  it('follows a machine whose calls become dear: several sequences in a call are counted as rows', () => {
    const steps = (rows: number) => (rows <= 8 ? 8 : 8 * (1 + 0.5 * (rows - 8)));
    const world = { ...GOOD, call: steps, alpha: 0.6 };
    const costs = new WayCosts();
    decode(world, costs, { texts: 8 });
    expect(decode(world, costs, { texts: 8 }).gammas.filter((gamma) => gamma > 0).length).toBeGreaterThan(50);
    decode(world, costs, { texts: 8, streams: 8 });
    const { time, plain } = decode(world, costs, { texts: 16, streams: 8 });
    expect(time / plain).toBeLessThan(1.03);
  });

  it('takes up what was kept: a new run proposes from the first round, and one whose draft does not pay hardly ever does', () => {
    const learn = (world: World) => {
      const costs = new PairCosts();
      decode(world, costs.greedy, { texts: 12 });
      const kept = costs.keep();
      expect(kept.sampled).toBeUndefined();
      return new PairCosts(JSON.parse(JSON.stringify(kept))).greedy;
    };
    expect(decode(GOOD, learn(GOOD), { texts: 1 }).gammas[0]).toBeGreaterThan(2);
    const useless = { call: dear, step: 0.5, opening: 6, alpha: 0 };
    const { time, plain, gammas } = decode(useless, learn(useless), { texts: 4 });
    expect(gammas[0]).toBe(0);
    expect(time / plain).toBeLessThan(1.03);
  });
});
