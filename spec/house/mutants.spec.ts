import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface NamedMutant {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly spec: string;
}
const MUTANTS: readonly NamedMutant[] = JSON.parse(read('scripts/named-mutants.json'));

describe('named mutants', () => {
  it('have different names, and change something', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
    for (const { name, from, to } of MUTANTS) expect([name, from]).not.toEqual([name, to]);
  });

  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    '%s: the source has its text once, and its spec is there',
    (_, { file, from, spec }) => {
      expect([file, read(file).split(from).length - 1]).toEqual([file, 1]);
      expect([spec, existsSync(join(ROOT, spec))]).toEqual([spec, true]);
    },
  );

  it('are all in docs/reliability.md, each with its spec', () => {
    const page = read('docs/reliability.md');
    for (const { name, spec } of MUTANTS) expect(page).toContain(`| ${name} | \`${spec}\` |`);
  });
});

describe('docs/reliability.md', () => {
  /** The tables of promises: those that name what checks each row. */
  const rows = read('docs/reliability.md')
    .split('\n\n')
    .filter((block) => /^\|[^\n]*\| (checked by|killed by)/.test(block.trim()))
    .flatMap((block) => block.trim().split('\n').slice(2));

  it('names a spec that is there in every row', () => {
    expect(rows.length).toBeGreaterThan(30);
    for (const row of rows) {
      const specs = [...row.matchAll(/`(spec\/[^`]+)`/g)].map(([, path]) => path);
      expect([row, specs.length > 0]).toEqual([row, true]);
      for (const path of specs) expect([row, path, existsSync(join(ROOT, path))]).toEqual([row, path, true]);
    }
  });
});
