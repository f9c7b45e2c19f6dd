import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const CRUISER = join(ROOT, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');

/** Folders without sources of ours, or with sources that are built. */
const NOT_OURS = ['node_modules', 'dist', 'build', 'coverage', 'docs', 'models', 'bin', 'scripts', 'examples'];

/** A small house in which every allowed kind of import occurs once. */
const SOUND: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({ name: 'house', type: 'commonjs', devDependencies: { 'gpu.js': '2', jest: '30' } }),
  'node_modules/gpu.js/package.json': '{ "name": "gpu.js", "main": "index.js" }',
  'node_modules/gpu.js/index.js': '',
  'node_modules/jest/package.json': '{ "name": "jest", "main": "index.js" }',
  'node_modules/jest/index.js': '',
  'index.ts': `export { api } from './api'; export { common } from './common';`,
  'core.ts': `export { decoding } from './decoding';`,
  'common/index.ts': `export { common } from './inner';`,
  'common/inner.ts': 'export const common = 1;',
  'weights/index.ts': `import { common } from '../common'; export const weights = common; export { file } from './file.node';`,
  'weights/file.node.ts': `import { readFileSync } from 'node:fs'; export const file = readFileSync;`,
  'kernels/index.ts': `export { common as kernels } from '../common'; export { inner } from './cpu/inner';`,
  'kernels/cpu/inner.ts': `export const inner = import('gpu.js');`,
  'engine/index.ts': `import { kernels } from '../kernels'; import { weights } from '../weights'; export const engine = kernels + weights;`,
  'decoding/index.ts': `import { engine } from '../engine'; export const decoding = engine;`,
  'api/index.ts': `import { decoding } from '../decoding'; export const api = decoding;`,
  'server/index.ts': `import { createServer } from 'node:http'; import { api } from '../api'; export const server = [createServer, api];`,
  'cli/index.ts': `import { argv } from 'node:process'; import { api } from '../api'; import { server } from '../server'; import { testing } from '../testing'; export const cli = [argv, api, server, testing];`,
  'explorer/index.ts': `import { api } from '../api'; export const explorer = api;`,
  'testing/index.ts': `import { decoding } from '../decoding'; export const testing = decoding;`,
  'transformers/index.ts': `import { api } from '../api'; export const transformers = api;`,
  'bench/run.ts': `import { inner } from '../kernels/cpu/inner'; export const bench = inner;`,
  'spec/a.spec.ts': `import { inner } from '../kernels/cpu/inner'; import 'jest'; export const spec = inner;`,
};

/** Each breaks one rule: the folder of the file, its text, the rule. */
const BREACHES: readonly (readonly [string, string, string])[] = [
  ['common', `import { kernels } from '../kernels'; export const a = kernels;`, 'common-imports-downwards'],
  ['kernels', `import { weights } from '../weights'; export const a = weights;`, 'kernels-imports-downwards'],
  ['weights', `import { kernels } from '../kernels'; export const a = kernels;`, 'weights-imports-downwards'],
  ['engine', `import { decoding } from '../decoding'; export const a = decoding;`, 'engine-imports-downwards'],
  ['engine', `import type { cli } from '../cli'; export type A = typeof cli;`, 'engine-imports-downwards'],
  ['decoding', `import { cli } from '../cli'; export const a = cli;`, 'decoding-imports-downwards'],
  ['decoding', `import { api } from '..'; export const a = api;`, 'decoding-imports-downwards'],
  ['cli', `import { decoding } from '../core'; export const a = decoding;`, 'cli-imports-downwards'],
  ['cli', `import { bench } from '../bench/run'; export const a = bench;`, 'bench-through-index-only'],
  ['server', `import { cli } from '../cli'; export const a = cli;`, 'server-imports-downwards'],
  ['api', `import { server } from '../server'; export const a = server;`, 'api-imports-downwards'],
  ['api', `import { testing } from '../testing'; export const a = testing;`, 'api-imports-downwards'],
  ['testing', `import { api } from '../api'; export const a = api;`, 'testing-imports-downwards'],
  ['explorer', `import { cli } from '../cli'; export const a = cli;`, 'explorer-imports-downwards'],
  [
    'transformers',
    `import { decoding } from '../decoding'; export const a = decoding;`,
    'transformers-imports-downwards',
  ],
  ['api', `import { transformers } from '../transformers'; export const a = transformers;`, 'api-imports-downwards'],
  ['api', `import { bench } from '../bench/run'; export const a = bench;`, 'api-imports-downwards'],
  ['engine', `import { inner } from '../kernels/cpu/inner'; export const a = inner;`, 'through-index-only'],
  ['engine', `import { common } from '../common/inner'; export const a = common;`, 'through-index-only'],
  ['engine', `import { readFileSync } from 'node:fs'; export const a = readFileSync;`, 'node-modules-in-node-files'],
  ['weights', `import { readFileSync } from 'fs'; export const a = readFileSync;`, 'node-modules-in-node-files'],
  ['explorer', `export const a = import('node:fs');`, 'node-modules-in-node-files'],
  ['engine', `import jest from 'jest'; export const a = jest;`, 'no-development-dependencies'],
  ['engine', `import { gone } from './gone'; export const a = gone;`, 'resolvable'],
  ['bench', `import { gone } from './gone'; export const a = gone;`, 'resolvable'],
];

/** Folders with two files that import each other, by values or only for their types. */
const CIRCLES: readonly (readonly [string, 'values' | 'types'])[] = [
  ['engine', 'values'],
  ['decoding', 'types'],
  ['bench', 'types'],
  ['scripts', 'values'],
  ['spec', 'values'],
];
const CIRCLE = {
  values: [`import { b } from './circle'; export const a: number = b;`, `export { a as b } from './first';`],
  types: [`import type { B } from './circle'; export type A = B;`, `export type { A as B } from './first';`],
};

/** Writes a house and says which rules it breaks, as `file rule`. A circle is reported at one of its files. */
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
    const { modules, summary } = JSON.parse(run.stdout) as Cruise;
    const cruised = modules.map(({ source }) => source);
    expect(cruised).toEqual(expect.arrayContaining(Object.keys(files).filter((name) => name.endsWith('.ts'))));
    return summary.violations.map(({ from, rule }) => `${from} ${rule.name}`);
  } finally {
    rmSync(house, { recursive: true, force: true });
  }
}

interface Cruise {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[];
  };
}

describe('the import rule', () => {
  test('lets a house pass in which every allowed import occurs', () => {
    expect(broken(SOUND)).toEqual([]);
  });

  test('knows every folder of this house', () => {
    const folders = readdirSync(ROOT, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const ours = folders.map(({ name }) => name).filter((name) => !name.startsWith('.') && !NOT_OURS.includes(name));
    const known = new Set(Object.keys(SOUND).map((file) => file.split('/')[0]));
    expect(ours.filter((name) => !known.has(name))).toEqual([]);
  });

  describe('refuses', () => {
    const breachFile = (index: number) => `${BREACHES[index][0]}/breach${index}.ts`;
    let found: string[] = [];
    beforeAll(() => {
      const breaches = Object.fromEntries(BREACHES.map(([, text], i) => [breachFile(i), text]));
      found = broken({ ...SOUND, ...breaches });
    });

    test.each(BREACHES.map((breach, i) => [...breach, i] as const))('%s/ with %s (%s)', (_folder, _text, rule, i) => {
      expect(found.filter((line) => line.startsWith(`${breachFile(i)} `))).toEqual([`${breachFile(i)} ${rule}`]);
    });

    test('nothing else', () => {
      expect(found).toHaveLength(BREACHES.length);
    });
  });

  describe('refuses files that import each other', () => {
    let found: string[] = [];
    beforeAll(() => {
      const files = CIRCLES.flatMap(([folder, kind]) => [
        [`${folder}/first.ts`, CIRCLE[kind][0]],
        [`${folder}/circle.ts`, CIRCLE[kind][1]],
      ]);
      found = broken({ ...SOUND, ...Object.fromEntries(files) });
    });

    test.each(CIRCLES)('in %s/, by %s', (folder) => {
      const here = found.filter((line) => line.startsWith(`${folder}/`));
      expect(here).toHaveLength(1);
      expect(here[0]).toMatch(/\/(first|circle)\.ts no-circles$/);
    });

    test('nothing else', () => {
      expect(found).toHaveLength(CIRCLES.length);
    });
  });
});
