import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const MUTATION = join(ROOT, 'scripts', 'mutation');

describe('mutants near their specs', () => {
  /** A small tree with one source, a spec of its name, one of another name, and one that always fails. */
  function makeTree(): string {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-near-'));
    const write = (name: string, text: string) => {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    };
    write(
      'api/a.ts',
      'export const one = (x: number) => x > 1;\nexport const two = (x: number) => x > 2;\nexport function no() {\n  return true;\n}\n',
    );
    const spec = (checks: string) => `import { one, two } from '../../api/a';\ntest('a', () => {\n${checks}\n});\n`;
    write('spec/api/a.spec.ts', spec('expect([one(1), one(2)]).toEqual([false, true]); expect(two(0)).toBe(false);'));
    write('spec/api/b.spec.ts', spec('expect([two(2), two(3)]).toEqual([false, true]); one(0);'));
    write('spec/api/c.spec.ts', spec('expect(one(9)).toBe(false);'));
    cpSync(join(ROOT, 'scripts/mutation'), join(folder, 'scripts/mutation'), { recursive: true });
    cpSync(join(ROOT, 'jest.mutate.config.js'), join(folder, 'jest.mutate.config.js'));
    const { transform } = require(join(ROOT, 'jest.config.js'));
    write('jest.config.js', `module.exports = ${JSON.stringify({ testEnvironment: 'node', transform })};`);
    for (const name of [
      'cli',
      'common',
      'decoding',
      'engine',
      'kernels',
      'server',
      'testing',
      'transformers',
      'weights',
    ])
      mkdirSync(join(folder, name));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    return folder;
  }

  it('meet those that reach their lines, and none that fails without them; those that have a result are not tried again', () => {
    const folder = makeTree();
    const program = `
      import { mutantsOf } from ${JSON.stringify(join(MUTATION, 'mutants.mjs'))};
      import { resultsIn, tryNearest } from ${JSON.stringify(join(MUTATION, 'nearest.mjs'))};
      const mutants = (await mutantsOf(['api/a.ts'])).filter(({ to }) => /^x <= 1$|^false$/.test(to));
      const [first, ...rest] = mutants;
      const tried = await tryNearest([{ ...first, status: 'Timeout' }, ...rest], 'spec/api', { folder: 'build/near' });
      const kept = [...resultsIn('build/near').values()].map(({ status }) => status);
      console.log(JSON.stringify([tried.map(({ line, status, by, seconds }) => [line, status, by ?? '', seconds > 0]), kept]));
    `;
    const args = ['--input-type=module', '-e', program];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    expect(stderr).toBe('');
    const lines = stdout.trim().split('\n');
    const [tried, kept] = JSON.parse(lines.at(-1) ?? '');
    expect(lines[0]).toBe('without a mutant too, there fails or does not end: spec/api/c.spec.ts');
    expect(tried).toEqual([
      [1, 'Timeout', '', false],
      [1, 'Killed', 'spec/api/a.spec.ts', true],
      [2, 'Killed', 'spec/api/b.spec.ts', true],
      [4, 'Survived', '', false],
    ]);
    expect(kept).toEqual(tried.map(([, status]: string[]) => status));
  });
});
