import { automaticGamma } from '../../../decoding/gamma/automatic';
import { PairCosts, WayCosts } from '../../../decoding/gamma/learnt';
import { seededRandom } from '../../../decoding/sampling/random';

/** A machine in milliseconds, and a draft. */
interface World {
  /** A target call of so many rows. */
  readonly call: (rows: number) => number;
  readonly step: number;
  readonly opening: number;
  readonly alpha: number;
  /** Of the draft, for each token of rounds in which it did not propose. Default 0. */
  readonly reading?: number;
  /** Factor of each time: what else the machine does. */
  readonly noise?: (time: number) => number;
}

const number = (seed: number, position: number) => seededRandom(seed).exponential(0, { sequence: 'world', position });

/** Decodes texts with γ by learnt costs; returns the time with and without a draft, and every γ. */
function decode(world: World, costs: WayCosts, { texts = 8, tokens = 64, streams = 1, seed = 1 } = {}) {
  const { call, step, opening, alpha, reading = 0, noise = (time) => time } = world;
  const gammas: number[] = [];
  let [time, plain, drawn] = [0, 0, 0];
  for (let text = 0; text < texts; text++) {
    const choosers = Array.from({ length: streams }, () => automaticGamma(costs, 16));
    let [isOpen, missed] = [false, 0];
    for (let done = 0; done < tokens; ) {
      const left = tokens - done;
      const gamma = Math.min(...choosers.map((one) => one.next({ streams, isOpen, left })), left - 1);
      const opened = gamma > 0 && !isOpen;
      isOpen ||= gamma > 0;
      let kept = 0;
      while (kept < gamma && number(seed, drawn++) < -Math.log(1 - alpha)) kept++;
      const [draftMs, targetMs] = [
        noise(gamma > 0 ? gamma * step + missed * reading : 0),
        noise(call(streams * (gamma + 1))),
      ];
      missed = gamma > 0 ? 0 : missed + 1;
      const openingMs = opened ? noise(opening) * streams : 0;
      const caughtUp = gamma > 0 && choosers[0].isCatchingUp === true;
      for (const one of choosers) one.finished(gamma, kept);
      costs.learn({
        ...{ streams, rows: streams * (gamma + 1), steps: gamma, tokens: streams * (kept + 1) },
        ...{ draftMs, targetMs, openingMs, opened: opened ? streams : 0, caughtUp },
      });
      gammas.push(gamma);
      time += draftMs + targetMs + openingMs;
      plain += (kept + 1) * call(streams);
      done += kept + 1;
    }
  }
  return { time, plain, gammas };
}

/** Time of the best fixed γ / of plain decoding. */
function bestFixed({ call, step, alpha }: World): number {
  const each = Array.from({ length: 17 }, (_, gamma) => {
    const tokens = (1 - alpha ** (gamma + 1)) / (1 - alpha);
    return (gamma * step + call(gamma + 1)) / tokens / call(1);
  });
  return Math.min(...each);
}

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

  it('tries a draft that never agrees in less than one of 100 rounds once that is known, however little a try costs', () => {
    const costs = new WayCosts();
    const world = { ...GOOD, opening: 0, step: 0.01, call: (rows: number) => 8 * (1 + 0.04 * (rows - 1)), alpha: 0 };
    decode(world, costs, { texts: 16 });
    const { gammas } = decode(world, costs, { texts: 64, tokens: 100 });
    const tries = gammas.filter((gamma) => gamma > 0).length;
    expect(tries / gammas.length).toBeLessThan(0.01);
    expect(tries).toBeGreaterThan(5);
  });

  it('in a long stretch without proposals times one round of four, counts all, and follows a machine that gets slower', () => {
    const costs = new WayCosts();
    const round = (rows: number, targetMs: number, count: number) => {
      const what = { streams: 1, rows, steps: rows - 1, tokens: 1, draftMs: (rows - 1) * 0.5, targetMs };
      for (let i = 0; i < count; i++) costs.learn({ ...what, openingMs: 0, opened: 0, caughtUp: false });
    };
    round(2, 6, 7);
    round(1, 4, 40);
    expect(costs.cost(1, 1)).toBeCloseTo(6.5 / 4, 9);
    round(1, 5, 12); // three of them are timed
    expect(costs.cost(1, 1)).toBeCloseTo(6.5 / 4, 9);
    round(1, 5, 16);
    expect(costs.cost(1, 1)).toBeCloseTo(6.5 / 5, 9);
    expect(costs.rounds).toBe(75);
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
