import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const CRUISER = join(ROOT, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');

/** A small house in which every allowed kind of import occurs once. */
const SOUND: Readonly<Record<string, string>> = {
  'package.json': '{ "name": "house", "type": "commonjs" }',
  'index.ts': `export { api } from './api';`,
  'weights/index.ts': `export const weights = 1; export { file } from './file.node';`,
  'weights/file.node.ts': `import { readFileSync } from 'node:fs'; export const file = readFileSync;`,
  'kernels/index.ts': `export const kernels = 1; export { inner } from './cpu/inner';`,
  'kernels/cpu/inner.ts': 'export const inner = 1;',
  'engine/index.ts': `import { kernels } from '../kernels'; import { weights } from '../weights'; export const engine = kernels + weights;`,
  'decoding/index.ts': `import { engine } from '../engine'; export const decoding = engine;`,
  'api/index.ts': `import { decoding } from '../decoding'; export const api = decoding;`,
  'cli/index.ts': `import { argv } from 'node:process'; import { api } from '../api'; export const cli = [argv, api];`,
  'explorer/index.ts': `import { api } from '../api'; export const explorer = api;`,
};

/** Each breaks one rule: the room it stands in, what it says, the rule. */
const BREACHES: readonly (readonly [string, string, string])[] = [
  ['kernels', `import { weights } from '../weights'; export const a = weights;`, 'kernels-imports-downwards'],
  ['weights', `import { kernels } from '../kernels'; export const a = kernels;`, 'weights-imports-downwards'],
  ['engine', `import { decoding } from '../decoding'; export const a = decoding;`, 'engine-imports-downwards'],
  ['engine', `import type { cli } from '../cli'; export type A = typeof cli;`, 'engine-imports-downwards'],
  ['decoding', `import { cli } from '../cli'; export const a = cli;`, 'decoding-imports-downwards'],
  ['decoding', `import { api } from '..'; export const a = api;`, 'decoding-imports-downwards'],
  ['explorer', `import { cli } from '../cli'; export const a = cli;`, 'explorer-imports-downwards'],
  ['engine', `import { inner } from '../kernels/cpu/inner'; export const a = inner;`, 'through-index-only'],
  ['engine', `import { readFileSync } from 'node:fs'; export const a = readFileSync;`, 'node-modules-in-node-files'],
  ['weights', `import { readFileSync } from 'fs'; export const a = readFileSync;`, 'node-modules-in-node-files'],
  ['explorer', `export const a = import('node:fs');`, 'node-modules-in-node-files'],
  ['engine', `import { gone } from './gone'; export const a = gone;`, 'resolvable'],
  ['engine', `import { kernels } from './circle'; export const a: number = kernels;`, 'no-circles'],
];
const breachFile = (index: number) => `${BREACHES[index][0]}/breach${index}.ts`;

/** Cruises a house and tells which rules it breaks, as `file rule`. */
function broken(files: Readonly<Record<string, string>>): string[] {
  const house = mkdtempSync(join(tmpdir(), 'tandem-house-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(house, path)), { recursive: true });
      writeFileSync(join(house, path), text);
    }
    for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json']) cpSync(join(ROOT, file), join(house, file));
    const config = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
    const run = spawnSync(process.execPath, [CRUISER, ...config, '.'], { cwd: house, encoding: 'utf8' });
    const { summary } = JSON.parse(run.stdout) as Cruise;
    expect(summary.totalCruised).toBeGreaterThanOrEqual(Object.keys(files).length - 1);
    return summary.violations.map(({ from, rule }) => `${from} ${rule.name}`);
  } finally {
    rmSync(house, { recursive: true, force: true });
  }
}

interface Cruise {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[];
  };
}

describe('the import rule', () => {
  test('lets a house pass in which every allowed import occurs', () => {
    expect(broken(SOUND)).toEqual([]);
  });

  describe('refuses', () => {
    let found: string[] = [];
    beforeAll(() => {
      const breaches = Object.fromEntries(BREACHES.map(([, text], i) => [breachFile(i), text]));
      const last = BREACHES.length - 1; // the circle's other half
      const circle = { 'engine/circle.ts': `export { a as kernels } from './breach${last}';` };
      found = broken({ ...SOUND, ...breaches, ...circle });
    });

    test.each(BREACHES.map((breach, i) => [...breach, i] as const))('%s/ with %s (%s)', (_room, _text, rule, i) => {
      const circular = rule === 'no-circles'; // reported once, at either of its files
      expect(found.map((line) => (circular ? line.split(' ')[1] : line))).toContain(
        circular ? rule : `${breachFile(i)} ${rule}`,
      );
    });
  });
});
