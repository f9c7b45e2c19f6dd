import fc from 'fast-check';
import { checkAuto, draftingWay, type Settings } from '../../../decoding';
import { costWayOf } from '../../../decoding/gamma/way';

describe('γ and verification where settings leave them open', () => {
  test.each([
    [{ gamma: 'auto' }, 'auto', 'token'],
    [{ gamma: 'auto', seed: 3 }, 'auto', 'token'],
    [{ gamma: 'auto', temperature: 1 }, 'auto', 'coupled'],
    [{ gamma: 'auto', temperature: 1, seed: 3, verification: 'coupled' }, 'auto', 'coupled'],
    [{ gamma: 'auto', temperature: 1, verification: 'token' }, 'auto', 'token'],
    [{ gamma: 'auto', verification: 'block' }, 'auto', 'block'],
    [{}, 'auto', 'token'],
    [{ seed: 3 }, 'auto', 'token'],
    [{ temperature: 0, verification: 'block' }, 'auto', 'block'],
    [{ verification: 'token', seed: 3 }, 'auto', 'token'],
    [{ verification: 'coupled' }, 'auto', 'coupled'],
    [{ temperature: 1 }, 'auto', 'coupled'],
    [{ temperature: 1, seed: 0 }, 'auto', 'coupled'],
    [{ temperature: 0.1, seed: 0, verification: 'coupled' }, 'auto', 'coupled'],
    [{ temperature: 1, lenience: 1 }, 'auto', 'coupled'],
    [{ temperature: 1, verification: 'token' }, 4, 'token'],
    [{ temperature: 1, verification: 'token', seed: 0 }, 4, 'token'],
    [{ temperature: 1, verification: 'block' }, 4, 'block'],
    [{ temperature: 1, lenience: 0.5 }, 4, 'token'],
    [{ lenience: 0.5 }, 4, 'token'],
    [{ temperature: 1, gamma: 4 }, 4, 'token'],
    [{ gamma: 4 }, 4, 'token'],
    [{ temperature: 1, gamma: 7 }, 7, 'token'],
    [{ temperature: 1, gamma: 0 }, 0, 'token'],
    [{ temperature: 1, branching: [2, 1] }, 2, 'token'],
    [{ temperature: 1, costs: { c: 0, v: [1] } }, 32, 'token'],
    [{ temperature: 1, costs: { c: 0, v: [1] }, gamma: 5 }, 5, 'token'],
  ] as const)('%j: γ %s, %s verification', (settings, gamma, verification) => {
    expect(draftingWay(settings as Settings)).toEqual({ gamma, verification });
  });

  test.each([
    [{ gamma: 'auto', lenience: 0.5 }, 'gamma'],
    [{ gamma: 'auto', temperature: 1, seed: 0, verification: 'token' }, 'gamma'],
    [{ gamma: 'auto', costs: { c: 0, v: [1] } }, 'costs'],
  ] as const)('%j is refused', (settings, name) => {
    expect(() => checkAuto(settings as Settings)).toThrow(name);
  });

  it('is accepted when it is stated, means the same, and follows clocks only where the text cannot depend on γ', () => {
    const gamma = fc.option(fc.oneof(fc.nat(8), fc.constant('auto' as const)), { nil: undefined });
    const settings = fc.record({
      gamma,
      temperature: fc.constantFrom(undefined, 0, 0.5, 1),
      verification: fc.constantFrom(undefined, 'token', 'block', 'coupled'),
      lenience: fc.constantFrom(undefined, 1, 0.4),
      seed: fc.constantFrom(undefined, 0, 7),
    }) as fc.Arbitrary<Settings>;
    fc.assert(
      fc.property(settings, (asked) => {
        const way = draftingWay(asked);
        if (asked.gamma === undefined) {
          const { temperature = 0, lenience = 1, seed = 0 } = asked;
          const isSafe = lenience === 1 && (temperature === 0 || way.verification === 'coupled');
          expect(way.gamma).toBe(isSafe ? 'auto' : 4);
          expect(() => checkAuto({ ...asked, ...way, seed })).not.toThrow();
        } else expect(way.gamma).toBe(asked.gamma);
        expect(draftingWay({ ...asked, ...way })).toEqual(way);
      }),
    );
  });

  it("'auto' without a seed may verify token by token", () => {
    expect(() => checkAuto({ gamma: 'auto', temperature: 1, verification: 'token' })).not.toThrow();
    expect(() => checkAuto({ gamma: 'auto', seed: 1, verification: 'token' })).not.toThrow();
  });

  it("'auto' beside branching is not refused here: branching is refused beside any γ", () => {
    for (const given of [{ lenience: 0.5 }, { costs: { c: 0, v: [1] } }]) {
      const settings: Settings = { gamma: 'auto', ...given };
      expect(() => checkAuto(settings)).toThrow();
      expect(() => checkAuto({ ...settings, branching: [2, 1] })).not.toThrow();
    }
  });

  it('tokens cost what arg-max does without rules, and otherwise what the way of drawing does', () => {
    for (const isCoupled of [false, true]) {
      const drawn = isCoupled ? 'coupled' : 'sampled';
      expect(costWayOf({ temperature: 0 }, isCoupled)).toBe('greedy');
      expect(costWayOf({ temperature: 1 }, isCoupled)).toBe(drawn);
      expect(costWayOf({ temperature: 0, repetitionPenalty: 1.3 }, isCoupled)).toBe(drawn);
    }
  });
});
