import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
  type: string;
};

function node(...args: string[]) {
  return spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
}

describe('npm scripts', () => {
  test('are all there', () => {
    const wanted = 'start test test:package test:long check lint format bench golden docs build prepare'.split(' ');
    expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(wanted));
  });

  test('lint checks formatting, sizes and imports', () => {
    expect(manifest.scripts.lint).toMatch(/biome check .*lint:sizes.*lint:imports/);
  });

  // ts-node 10.9.2 exits with 0 on Node 22 and later, having run nothing, unless package and tsconfig both say CommonJS.
  test('ts-node runs what it is given, and fails when that throws', () => {
    const script = join(ROOT, 'build', `ts-node-${process.pid}.ts`);
    const tsNode = join(ROOT, 'node_modules', 'ts-node', 'dist', 'bin.js');
    mkdirSync(join(ROOT, 'build'), { recursive: true });
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
  const scratch = mkdtempSync(join(tmpdir(), 'tandem-count-'));
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  const GOOD = { numPassedTests: 3, numFailedTests: 0, numRuntimeErrorTestSuites: 0 };

  /** Runs the count over steps (name, status, reports) and reports by name; null leaves a report out. */
  function count(steps: readonly (readonly [string, number, string])[], reports: Record<string, object | string> = {}) {
    const folder = mkdtempSync(join(scratch, 'run-'));
    for (const [name, content] of Object.entries(reports)) {
      writeFileSync(join(folder, `${name}.json`), typeof content === 'string' ? content : JSON.stringify(content));
    }
    writeFileSync(join(folder, 'steps.tsv'), steps.map((step) => `${step.join('\t')}\n`).join(''));
    const { status, stdout } = node(join(ROOT, '.ci', 'count.mjs'), folder);
    return { status, last: stdout.trim().split('\n').at(-1) };
  }

  test('adds up the tests of all reports, and one for each other step', () => {
    const steps = [
      ['types', 0, ''],
      ['specs', 0, 'a,b'],
    ] as const;
    expect(count(steps, { a: GOOD, b: GOOD })).toEqual({ status: 0, last: '7 passed, 0 failed' });
  });

  test.each([
    ['a failed test', 1, { numPassedTests: 3, numFailedTests: 1 }, '4 passed, 1 failed'],
    ['a suite that could not run', 1, { numPassedTests: 3, numRuntimeErrorTestSuites: 2 }, '4 passed, 2 failed'],
    ['a report of no tests', 0, { numPassedTests: 0 }, '1 passed, 1 failed'],
    ['an empty report', 0, '', '1 passed, 1 failed'],
    ['a step that failed though its report is good', 124, GOOD, '4 passed, 1 failed'],
  ])('fails on %s', (_, status, content, last) => {
    const steps = [
      ['types', 0, ''],
      ['specs', status, 'a'],
    ] as const;
    expect(count(steps, { a: content })).toEqual({ status: 1, last });
  });

  test('fails on a step without a report that failed', () => {
    expect(count([['types', 2, '']])).toEqual({ status: 1, last: '0 passed, 1 failed' });
  });

  test('fails on a missing report', () => {
    expect(count([['specs', 0, 'none']])).toEqual({ status: 1, last: '0 passed, 1 failed' });
  });

  test('fails on a run without steps', () => {
    expect(count([])).toEqual({ status: 1, last: '0 passed, 1 failed' });
    expect(node(join(ROOT, '.ci', 'count.mjs'), join(scratch, 'none')).status).toBe(1);
  });
});

describe("CI's steps", () => {
  // The shell functions of .ci/run, with the steps themselves replaced.
  const text = readFileSync(join(ROOT, '.ci', 'run'), 'utf8');
  const functions = text.slice(text.indexOf('step() {'), text.indexOf('pinned=node_modules'));

  function steps(script: string) {
    const results = mkdtempSync(join(tmpdir(), 'tandem-steps-'));
    try {
      const before = `set -uo pipefail; results=${results}; ${functions}`;
      const { stdout } = spawnSync('bash', ['-c', `${before}\n${script}`], { cwd: ROOT, encoding: 'utf8' });
      return { stdout, steps: readFileSync(join(results, 'steps.tsv'), 'utf8') };
    } finally {
      rmSync(results, { recursive: true, force: true });
    }
  }

  test('are recorded with their status, and go on after one that failed', () => {
    const found = steps(`step 'one' true; step 'two words' sh -c 'exit 3'; specs 'three' a,b limited test -e /none`);
    expect(found.steps).toBe('one\t0\t\ntwo words\t3\t\nthree\t1\ta,b\n');
    expect(found.stdout).toMatch(/── two words: FAILED \(3\)/);
  });
});
