import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
  type: string;
};

const scratch = mkdtempSync(join(tmpdir(), 'tandem-scripts-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function node(...args: string[]) {
  return spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
}

function report(name: string, content: object): string {
  const path = join(scratch, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

describe('npm scripts', () => {
  test('are all there', () => {
    const wanted = 'start test test:long check lint format bench golden docs build prepare'.split(' ');
    expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(wanted));
  });

  // ts-node 10.9.2 exits 0 having run nothing on Node 22 and later unless package and tsconfig both say CommonJS.
  test('ts-node really runs what it is given, and tells of an error', () => {
    const script = join(ROOT, 'build', `ts-node-${process.pid}.ts`);
    const tsNode = join(ROOT, 'node_modules', 'ts-node', 'dist', 'bin.js');
    node('-e', `require('node:fs').mkdirSync('build', { recursive: true })`);
    try {
      writeFileSync(
        script,
        `import { join } from 'node:path';\nconst ran: string = join('it', 'ran');\nconsole.log(ran);\n`,
      );
      expect(node(tsNode, script)).toMatchObject({ status: 0, stdout: `${join('it', 'ran')}\n` });
      writeFileSync(script, 'throw new Error(String(1 as number));');
      expect(node(tsNode, script).status).not.toBe(0);
    } finally {
      rmSync(script, { force: true });
    }
  });
});

describe("CI's count", () => {
  const count = join(ROOT, '.ci', 'count.mjs');
  const good = () => report('good.json', { numPassedTests: 3, numFailedTests: 0, numRuntimeErrorTestSuites: 0 });

  test('adds up the reports and passes only when all of them did', () => {
    expect(node(count, '0', good(), good())).toMatchObject({ status: 0, stdout: '6 passed, 0 failed\n' });
  });

  test.each([
    ['a failed test', { numPassedTests: 3, numFailedTests: 1 }, '6 passed, 1 failed'],
    ['a suite that could not run', { numPassedTests: 3, numRuntimeErrorTestSuites: 2 }, '6 passed, 2 failed'],
    ['a run of no tests', { numPassedTests: 0 }, '3 passed, 1 failed'],
  ])('fails on %s', (_, content, line) => {
    const run = node(count, '0', good(), report('bad.json', content));
    expect(run.status).not.toBe(0);
    expect(run.stdout.trim().split('\n').at(-1)).toBe(line);
  });

  test('fails on a missing report and on a failed step', () => {
    expect(node(count, '0', good(), join(scratch, 'none.json')).status).not.toBe(0);
    expect(node(count, '1', good()).status).not.toBe(0);
  });
});
