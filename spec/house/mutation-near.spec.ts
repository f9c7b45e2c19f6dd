import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const MUTATION = join(ROOT, 'scripts', 'mutation');

describe('mutants near their specs', () => {
  /** A small tree with one source, a spec of its name, one of another name, one that always fails, and one that imports another source. */
  function makeTree(): string {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-near-'));
    const write = (name: string, text: string) => {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    };
    write(
      'api/a.ts',
      'export const one = (x: number) => x > 1;\nexport const two = (x: number) => x > 2;\nexport function far() {\n  return true;\n}\nexport function none() {\n  return true;\n}\n',
    );
    const spec = (checks: string) => `import { one, two } from '../../api/a';\ntest('a', () => {\n${checks}\n});\n`;
    write('spec/api/a.spec.ts', spec('expect([one(1), one(2)]).toEqual([false, true]); expect(two(0)).toBe(false);'));
    write('spec/api/b.spec.ts', spec('expect([two(2), two(3)]).toEqual([false, true]); one(0);'));
    write('spec/api/c.spec.ts', spec('expect(one(9)).toBe(false);'));
    write('api/all.ts', "export * from './a';\n");
    write('spec/api/d.spec.ts', "import { far } from '../../api/all';\ntest('d', () => expect(far()).toBe(true));\n");
    cpSync(join(ROOT, 'scripts/mutation'), join(folder, 'scripts/mutation'), { recursive: true });
    cpSync(join(ROOT, 'jest.mutate.config.js'), join(folder, 'jest.mutate.config.js'));
    const { transform } = require(join(ROOT, 'jest.config.js'));
    write('jest.config.js', `module.exports = ${JSON.stringify({ testEnvironment: 'node', transform })};`);
    const { roots } = require(join(ROOT, 'jest.mutate.config.js'));
    for (const root of roots) mkdirSync(join(folder, root.replace('<rootDir>/', '')), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    return folder;
  }

  it('meet those that import them, then those that reach their lines, and none that fails without them, once', () => {
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
    expect(lines).toContain('without a mutant too, there fails or does not end: spec/api/c.spec.ts');
    expect(tried).toEqual([
      [1, 'Timeout', '', false],
      [1, 'Killed', 'spec/api/a.spec.ts', true],
      [2, 'Killed', 'spec/api/b.spec.ts', true],
      [4, 'Killed', 'spec/api/d.spec.ts', true],
      [7, 'Survived', '', true],
    ]);
    expect(kept).toEqual(tried.map(([, status]: string[]) => status));
  });

  it('are in a folder with the name of what was asked for, which is short and its own for any number of sources', () => {
    const many = Array.from({ length: 60 }, (_, i) => `kernels/wasm/source${i}.ts`);
    const targets = [
      'kernels/wasm',
      'api/call.ts,common',
      many.join(','),
      [...many].reverse().join(','),
      [...many, 'api'].join(','),
    ];
    const program = `
      import { nameOfRun } from ${JSON.stringify(join(MUTATION, 'nearest.mjs'))};
      console.log(JSON.stringify(${JSON.stringify(targets)}.map(nameOfRun)));
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    const names: readonly string[] = JSON.parse(stdout);
    expect(names.slice(0, 2)).toEqual(['kernels-wasm', 'api-call.ts-common']);
    expect(new Set(names).size).toBe(targets.length);
    for (const name of names) expect(name).toMatch(/^[\w.-]{1,100}$/);
  });
});
