import { modelDrafter, type Random } from '../../decoding';
import { accepts } from '../../decoding/acceptance';
import { oneHot, sample } from '../../decoding/distribution';
import { totalVariation } from '../support/enumerator';
import { finish, samplerOutcomes, targetOutcomes } from '../support/exactness';
import { BOUNDARY_MUTANTS, MUTANTS, type Mutant } from '../support/mutants';
import { randomTable, tableModel } from '../support/table-model';

const SETTINGS = { temperature: 1, maxNewTokens: 3, gamma: 2 };
/** What the exact sampler passes, with room for rounding only; a mutant must miss it by far. */
const CAUGHT = 1e-3;

async function distance(mutant: Partial<Mutant>, seed: number): Promise<number> {
  const table = { vocabulary: 3, logits: randomTable(3, seed), eosTokens: [1] };
  const target = tableModel(table);
  const drafter = modelDrafter(tableModel({ ...table, logits: randomTable(3, seed + 500) }));
  const sampler = {
    request: { target, settings: SETTINGS, parts: mutant.parts },
    drafter: mutant.drafter ? mutant.drafter(drafter) : drafter,
    naming: mutant.naming,
  };
  return totalVariation(await samplerOutcomes(sampler), targetOutcomes(table, SETTINGS));
}

async function worst(mutant: Partial<Mutant>): Promise<number> {
  const distances = await Promise.all([3, 4, 5, 6].map((seed) => distance(mutant, seed)));
  return Math.max(...distances);
}

describe('mutants: every known-wrong sampler fails the check that the shipped one passes', () => {
  const table: string[] = [];

  afterAll(() => {
    console.info(
      ['mutant                                                          total variation', ...table].join('\n'),
    );
  });

  it('the shipped sampler passes (total variation ≤ 1e-12)', async () => {
    expect(await worst({})).toBeLessThanOrEqual(1e-12);
  });

  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    'enumeration catches one that %s',
    async (name, mutant) => {
      const found = await worst(mutant);
      table.push(`${name.padEnd(64)}${found.toFixed(4).padStart(8)}`);
      expect(found).toBeGreaterThan(CAUGHT);
    },
  );

  const zero: Random = {
    exponential: () => 1,
    accept: (weight, of) => 0 * of < weight,
    categorical: (distribution) => (distribution.tokens ? distribution.tokens[0] : 0),
  };
  const at = { stream: 'main', round: 0, position: 1, purpose: 'accept' as const };
  const refused = sample(oneHot(3, 2), zero, at);

  it('the shipped acceptance refuses a token of probability zero even at u = 0', () => {
    expect(accepts(oneHot(3, 1), refused, zero, at)).toBe(false);
  });

  it.each(BOUNDARY_MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    'u = 0 catches one that %s',
    (_, mutant) => {
      expect(mutant.parts?.accepts(oneHot(3, 1), refused, zero, at)).toBe(true);
    },
  );

  it('decoding twice with one seed gives one text, and another seed or stream another', async () => {
    const target = tableModel({ vocabulary: 30, logits: randomTable(30, 7) });
    const drafter = modelDrafter(tableModel({ vocabulary: 30, logits: randomTable(30, 8) }));
    const settings = { temperature: 1, maxNewTokens: 24, gamma: 3 };
    const text = async (changes: object) =>
      (await finish({ target, drafter, source: [1], settings: { ...settings, ...changes } })).ids.join();
    expect(await text({ seed: 5 })).toBe(await text({ seed: 5 }));
    expect(await text({ seed: 5 })).not.toBe(await text({ seed: 6 }));
    expect(await text({ seed: 5 })).not.toBe(await text({ seed: 5, stream: 'other' }));
  });
});
