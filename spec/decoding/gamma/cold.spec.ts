import { mean } from 'simple-statistics';
import { WayCosts } from '../../../decoding/gamma/learnt';
import { decode, number } from '../../support/gamma-world';

/** Texts in which the draft is right in 95 of 100 places of easy stretches, and in half of those of hard ones, with which texts begin. */
function inStretches(seed: number): (text: number, place: number) => boolean {
  const chance = (text: number, at: number) => Math.exp(-number(100 * seed + text, at));
  return (text, place) => {
    let isHard = true;
    for (let at = 0; at <= place; at++) if (chance(text, 2 * at) < 1 / 8) isHard = !isHard;
    return chance(text, 2 * place + 1) < (isHard ? 0.5 : 0.95);
  };
}

describe("γ 'auto' beside a target whose call takes less than a millisecond", () => {
  const call = (rows: number) => 0.9 * (1 + 0.22 * (rows - 1));
  const small = { call, step: 0.13, opening: 1.1, reading: 0.02 };

  it.each([
    [8, 8],
    [8, 16],
    [20, 4],
  ])(
    'makes 16 texts faster, after 4 others, with a draft whose first %d rounds take %d times as long',
    (slow, factor) => {
      const ratios = Array.from({ length: 12 }, (_, seed) => {
        const world = { ...small, alpha: 0, agrees: inStretches(seed) };
        const costs = new WayCosts();
        const warming = (rounds: number) => (rounds < slow ? factor : 1);
        decode({ ...world, warming }, costs, { texts: 4, tokens: 48 });
        const later = (rounds: number) => warming(rounds + 12); // some of these rounds are over
        const { time, plain } = decode({ ...world, warming: later }, costs, { texts: 16, tokens: 48 });
        return time / plain;
      });
      expect(mean(ratios)).toBeLessThan(0.92);
    },
  );

  it.each([0.4, 0.6, 0.68, 0.75])(
    'loses at most 8 rounds and 20 ms at the first to a draft of α = %d whose steps stay slow, 2 %% of 32 texts, and 1.5 %% of the next 64',
    (alpha) => {
      for (const factor of [4, 8, 16]) {
        const world = { ...small, alpha, warming: () => factor };
        const costs = new WayCosts();
        const first = decode(world, costs, { texts: 1 });
        expect(first.time - first.plain).toBeLessThan(8 * call(1) + 20);
        const { time, plain } = decode(world, costs, { texts: 32 });
        expect(time / plain).toBeLessThan(1.02);
        const later = decode(world, costs, { texts: 64 });
        expect(later.time / later.plain).toBeLessThan(1.015);
      }
    },
  );
});
