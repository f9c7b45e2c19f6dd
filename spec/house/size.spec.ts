import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const LINT = join(__dirname, '..', '..', 'scripts', 'lint-size.mjs');
const statements = (count: number) => 'one();\n'.repeat(count);
/** A function of `lines` lines, its first and last included. */
const functionOf = (lines: number, head = 'function many()') => `${head} {\n${statements(lines - 2)}}\n`;

/** What the lint says of one file, alone in a house. */
function complaints(path: string, text: string): { status: number | null; lines: string[] } {
  const house = mkdtempSync(join(tmpdir(), 'tandem-size-'));
  try {
    mkdirSync(dirname(join(house, path)), { recursive: true });
    writeFileSync(join(house, path), text);
    const { status, stderr } = spawnSync(process.execPath, [LINT, house], { encoding: 'utf8' });
    // The exceptions are those of the real house: none of them applies here.
    return { status, lines: stderr.split('\n').filter((line) => line !== '' && !line.includes('is not needed')) };
  } finally {
    rmSync(house, { recursive: true, force: true });
  }
}

describe('the size limits', () => {
  test.each([
    ['a file of 300 lines', 'api/a.ts', statements(300)],
    ['a function of 60 lines', 'api/a.ts', functionOf(60)],
    ['four arguments', 'api/a.ts', 'function f(a, b, c, d) {}'],
    ['a kernel of five arguments', 'kernels/cpu/a.ts', 'function f(out, a, b, c, d) {}'],
    ['an overload of five arguments', 'api/a.ts', 'declare function f(a, b, c, d, e): void;'],
    [
      'a long list of specs',
      'spec/a.spec.ts',
      functionOf(80, "describe('a', () =>").replaceAll('one()', "test('a', a)"),
    ],
    [
      'a long list of specs, each of the cases',
      'spec/a.spec.ts',
      `${functionOf(61, "describe.each([1])('a', () =>").replace('one()', "test.each(a)('b', c)")})`,
    ],
    ['a long file in a folder that is generated', 'kernels/wasm/generated/a.ts', statements(400)],
  ])('let pass: %s', (_, path, text) => {
    expect(complaints(path, text).lines).toEqual([]);
  });

  test.each([
    ['a file of 301 lines', 'api/a.ts', statements(301), 'api/a.ts: expected at most 300 lines, found 301 (line 1)'],
    [
      'a script of 301 lines',
      'scripts/a.mjs',
      statements(301),
      'scripts/a.mjs: expected at most 300 lines, found 301 (line 1)',
    ],
    [
      'a function of 61 lines',
      'api/a.ts',
      `\n${functionOf(61)}`,
      'api/a.ts#many: expected at most 60 lines, found 61 (line 2)',
    ],
    [
      'an arrow function',
      'api/a.ts',
      functionOf(61, 'const many = () =>'),
      'api/a.ts#many: expected at most 60 lines, found 61 (line 1)',
    ],
    [
      'a method',
      'api/a.ts',
      `class A {\n${functionOf(61, 'many()')}}`,
      'api/a.ts#many: expected at most 60 lines, found 61 (line 2)',
    ],
    [
      'a kernel of 61 lines',
      'kernels/cpu/a.ts',
      functionOf(61),
      'kernels/cpu/a.ts#many: expected at most 60 lines, found 61 (line 1)',
    ],
    [
      'five arguments',
      'engine/a.ts',
      'const f = (a, b, c, d, e) => {};',
      'engine/a.ts#f: expected at most 4 arguments, found 5 (line 1)',
    ],
    [
      'a long function inside a list of specs',
      'spec/a.spec.ts',
      `describe('a', () => {\ntest('b', c);\n${functionOf(61)}});`,
      'spec/a.spec.ts#many: expected at most 60 lines, found 61 (line 3)',
    ],
    [
      'a long test',
      'spec/a.spec.ts',
      `${functionOf(61, "test('a', () =>")});`,
      'spec/a.spec.ts#(no name): expected at most 60 lines, found 61 (line 1)',
    ],
  ])('refuse: %s', (_, path, text, line) => {
    expect(complaints(path, text)).toEqual({ status: 1, lines: [line] });
  });
});
