import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from '@swc/core';

const ROOT = join(__dirname, '..', '..');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
/** Pages whose TypeScript is for a user's program, with the number of snippets that each has at least. */
const PAGES: Readonly<Record<string, number>> = {
  'README.md': 2,
  'docs/coming-from.md': 2,
  'docs/tour.md': 1,
  'docs/examples.md': 2,
  'docs/exactness.md': 1,
  'docs/tokenizers.md': 1,
  'docs/gpu.md': 1,
};
/** What a snippet names that is not on every machine, and what stands for it: a model of the hub, a GPU. */
const STAND_INS: Readonly<Record<string, string>> = {
  "'google/t5-v1_1-small'": "'spec/data/transformers'",
  "level: 'auto'": "level: 'cpu'",
};
const snippets = Object.keys(PAGES).flatMap((page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((match, i) => ({ page, number: i + 1, snippet: match[1] }));
});

// One folder below the root, where the sources bundled as one file find packages and the pair.
const name = join(ROOT, 'build', `readme-${process.pid}`);

/** Entries of the package that snippets import: `index` is the root. */
const ENTRIES = ['index', 'testing', 'transformers', 'kernels'];

function bundleSources(): void {
  for (const one of ENTRIES) {
    const source = one === 'kernels' ? 'kernels/index.ts' : `${one}.ts`;
    const entry = ['--entry', source, '--to', `${name}-${one}.cjs`];
    execFileSync(process.execPath, ['scripts/build.mjs', '--quiet', ...entry], { cwd: ROOT });
  }
}

/** What a snippet prints when it is run as a user's module, the sources standing for the package. */
function runSnippet(snippet: string): string {
  let here = snippet;
  for (const [named, present] of Object.entries(STAND_INS)) here = here.replaceAll(named, present);
  const { code } = transformSync(here, { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } });
  const imported = /^import \{([^}]*)\} from ['"](?:tandem-t5(?:\/(\w+))?|\.\/(kernels))['"];/m;
  expect(code).toMatch(imported);
  const program = code.replace(imported, (_, names: string, entry = 'index', folder = entry) => {
    return `import library from ${JSON.stringify(`./readme-${process.pid}-${folder}.cjs`)};\nconst {${names}} = library;`;
  });
  writeFileSync(`${name}.mjs`, program);
  return execFileSync(process.execPath, [`${name}.mjs`], { cwd: ROOT, encoding: 'utf8' });
}

describe('README', () => {
  beforeAll(bundleSources);
  afterAll(() => {
    for (const end of ['.mjs', ...ENTRIES.map((entry) => `-${entry}.cjs`)]) rmSync(`${name}${end}`, { force: true });
  });

  test('shows the two commands first', () => {
    const first = readme
      .slice(readme.indexOf('```sh') + 6)
      .split('\n')
      .slice(0, 2);
    expect(first[0]).toMatch(/^npm ci && npm start\b/);
    expect(first[1]).toMatch(/^npm ci && npm test\b/);
  });

  test('has snippets', () => {
    for (const [page, least] of Object.entries(PAGES)) {
      expect(snippets.filter((one) => one.page === page).length).toBeGreaterThanOrEqual(least);
    }
  });

  test.each(snippets)('$page: snippet $number runs as it stands', ({ snippet }) => {
    const printed = runSnippet(snippet);
    if (snippet.includes('console.log')) expect(printed.trim()).not.toBe('');
  });

  test('links to files that are there', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1]);
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) expect(() => readFileSync(join(ROOT, link))).not.toThrow();
  });
});
