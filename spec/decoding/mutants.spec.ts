import { columns } from '../../cli/table';
import { modelDrafter } from '../../decoding';
import { totalVariation } from '../support/enumerator';
import { finish, samplerOutcomes, targetOutcomes } from '../support/exactness';
import type { Family } from '../support/mutant-families';
import { MUTANTS, type Mutant } from '../support/mutants';
import { OVERHEAD } from '../support/mutants-adaptive';
import { BLOCK } from '../support/mutants-block';
import { CANDIDATES } from '../support/mutants-candidates';
import { COUPLED_DRAFT, COUPLED_TEXT, RACE } from '../support/mutants-coupled';
import { DRAFT_CACHE, ENGINE, TARGET_CACHE } from '../support/mutants-engine';
import { NUMBERS } from '../support/mutants-numbers';
import { RULE_CONTEXT } from '../support/mutants-rules';
import { SESSION } from '../support/mutants-session';
import { randomTable, tableModel } from '../support/table-model';

const SETTINGS = { temperature: 1, maxNewTokens: 3, gamma: 2 };
/** A mutant must measure more than this. The exact sampler stays far below it, at rounding errors. */
const CAUGHT = 1e-3;

async function distance(mutant: Partial<Mutant>, seed: number): Promise<number> {
  const table = { vocabulary: 3, logits: randomTable(3, seed), eosTokens: [1] };
  const target = tableModel(table);
  const drafter = modelDrafter(tableModel({ ...table, logits: randomTable(3, seed + 500) }));
  const sampler = {
    request: { target, settings: SETTINGS, rule: mutant.rule },
    drafter: mutant.drafter ? mutant.drafter(drafter) : drafter,
    naming: mutant.naming,
  };
  return totalVariation(await samplerOutcomes(sampler), targetOutcomes(table, SETTINGS));
}

async function worst(mutant: Partial<Mutant>): Promise<number> {
  const distances = await Promise.all([3, 4, 5, 6].map((seed) => distance(mutant, seed)));
  return Math.max(...distances);
}

/** The shipped loop with a known-wrong rule or drafter. */
const PARTS: Family = {
  check: 'enumeration of texts, token',
  unit: 'total variation',
  limit: 1e-12,
  caught: CAUGHT,
  shipped: () => worst({}),
  mutants: MUTANTS.map((mutant) => ({ name: mutant.name, measure: () => worst(mutant) })),
};

const FAMILIES: readonly Family[] = [
  PARTS,
  BLOCK,
  SESSION,
  CANDIDATES,
  COUPLED_TEXT,
  COUPLED_DRAFT,
  RACE,
  NUMBERS,
  RULE_CONTEXT,
  TARGET_CACHE,
  DRAFT_CACHE,
  ENGINE,
  OVERHEAD,
];

/** A measure with four digits, or with an exponent when the four digits would be zeros. */
const shown = (value: number) => (value === 0 || Math.abs(value) >= 1e-4 ? value.toFixed(4) : value.toExponential(0));

describe('mutants: every known-wrong sampler fails the check that the shipped one passes', () => {
  const table: string[][] = [];

  afterAll(() => {
    const head = ['mutant', 'caught by', 'measured', 'shipped', 'of'];
    const rows = columns(
      [head, ...table],
      head.map(() => ({ align: 'left' })),
    );
    console.info(`${table.length} mutants\n${rows}`);
  });

  describe.each(FAMILIES.map((family) => [family.check, family] as const))('%s', (check, family) => {
    let shipped = Number.NaN;

    it(`the shipped code passes (${family.unit} ≤ ${family.limit})`, async () => {
      shipped = await family.shipped();
      expect(shipped).toBeLessThanOrEqual(family.limit);
    });

    it.each(family.mutants.map((mutant) => [mutant.name, mutant] as const))('catches: %s', async (name, mutant) => {
      const found = await mutant.measure();
      table.push([name, check, shown(found), shown(shipped), family.unit]);
      expect(found).toBeGreaterThan(family.caught);
    });
  });

  it('there are at least 50, all with different names, and every family separates right from wrong', () => {
    const names = FAMILIES.flatMap((family) => family.mutants.map((mutant) => mutant.name));
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(50);
    for (const family of FAMILIES) expect(family.caught).toBeGreaterThanOrEqual(family.limit);
  });

  it('decoding twice with one seed gives one text; another seed or sequence name gives another text', async () => {
    const target = tableModel({ vocabulary: 30, logits: randomTable(30, 7) });
    const drafter = modelDrafter(tableModel({ vocabulary: 30, logits: randomTable(30, 8) }));
    const settings = { temperature: 1, maxNewTokens: 24, gamma: 3 };
    const text = async (changes: object) =>
      (await finish({ target, drafter, source: [1], settings: { ...settings, ...changes } })).ids.join();
    expect(await text({ seed: 5 })).toBe(await text({ seed: 5 }));
    expect(await text({ seed: 5 })).not.toBe(await text({ seed: 6 }));
    expect(await text({ seed: 5 })).not.toBe(await text({ seed: 5, sequence: 'other' }));
  });
});
