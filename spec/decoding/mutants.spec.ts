import { columns } from '../../cli/table';
import { modelDrafter } from '../../decoding';
import { finish } from '../../testing/exactness';
import { MUTANT_FAMILIES } from '../../testing/mutants';
import { randomTable, tableModel } from '../../testing/table-model';

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

  describe.each(MUTANT_FAMILIES.map((family) => [family.check, family] as const))('%s', (check, family) => {
    let shipped = Number.NaN;

    it(`the shipped code passes (${family.unit} ≤ ${family.limit})`, async () => {
      shipped = await family.shipped();
      expect(shipped).toBeLessThanOrEqual(family.limit);
    });

    it.each(family.mutants.map((mutant) => [mutant.name, mutant] as const))('catches: %s', async (name, mutant) => {
      const { value, example } = await mutant.measure();
      table.push([name, check, shown(value), shown(shipped), family.unit]);
      expect(value).toBeGreaterThan(family.caught);
      expect(example).not.toBe('');
    });
  });

  it('there are at least 50, all with different names, and every family separates right from wrong', () => {
    const names = MUTANT_FAMILIES.flatMap((family) => family.mutants.map((mutant) => mutant.name));
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(50);
    for (const family of MUTANT_FAMILIES) expect(family.caught).toBeGreaterThanOrEqual(family.limit);
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
