import { checkAuto, draftingWay, type Settings } from '../../../decoding';

describe('γ and verification where settings leave them open', () => {
  test.each([
    [{ gamma: 'auto' }, 'auto', 'token'],
    [{ gamma: 'auto', seed: 3 }, 'auto', 'token'],
    [{ gamma: 'auto', temperature: 1 }, 'auto', 'coupled'],
    [{ gamma: 'auto', temperature: 1, seed: 3, verification: 'coupled' }, 'auto', 'coupled'],
    [{ gamma: 'auto', temperature: 1, verification: 'token' }, 'auto', 'token'],
    [{ gamma: 'auto', verification: 'block' }, 'auto', 'block'],
    [{}, 4, 'token'],
    [{ temperature: 1, seed: 0 }, 4, 'token'],
    [{ temperature: 1, verification: 'block' }, 4, 'block'],
    [{ temperature: 1, gamma: 7 }, 7, 'token'],
    [{ temperature: 1, gamma: 0 }, 0, 'token'],
    [{ temperature: 1, branching: [2, 1] }, 2, 'token'],
    [{ temperature: 1, costs: { c: 0, v: [1] } }, 16, 'token'],
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

  it("'auto' without a seed may verify token by token", () => {
    expect(() => checkAuto({ gamma: 'auto', temperature: 1, verification: 'token' })).not.toThrow();
    expect(() => checkAuto({ gamma: 'auto', seed: 1, verification: 'token' })).not.toThrow();
  });
});
