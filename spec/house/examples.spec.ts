import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
/** Programs and folders of examples/, each with its files. */
const EXAMPLES = readdirSync(join(ROOT, 'examples'), { withFileTypes: true }).map((entry) => ({
  path: `examples/${entry.name}`,
  files: entry.isDirectory() && entry.name === 'batch' ? readdirSync(join(ROOT, 'examples', entry.name)) : [],
}));
const PAGE = read('docs/examples.md');
const CI = read('.ci/run');

describe('every program of examples/', () => {
  test.each(EXAMPLES)(
    '$path has a row in docs/examples.md, and CI runs the spec that the row names',
    ({ path, files }) => {
      const row = PAGE.split('\n').find((line) => line.startsWith(`| \`${path}\` |`)) ?? '';
      const [spec = ''] = /spec\/[\w/.-]+\.(?:spec|try)\.ts/.exec(row) ?? [];
      expect([path, spec]).toEqual([path, expect.stringMatching(/^spec\//)]);
      const text = read(spec);
      const name = basename(path);
      for (const one of [name.replace(/\.ts$/, ''), ...files])
        expect([spec, one, text.includes(one)]).toEqual([spec, one, true]);
      // The specs are run by their names' ends: *.spec.ts by jest alone, *.try.ts by the configuration of the package.
      expect(CI).toMatch(spec.endsWith('.try.ts') ? /--config jest\.package\.config\.js/ : /specs on the pinned Node/);
    },
  );

  test('are as many as the page has rows', () => {
    const rows = PAGE.match(/^\| `examples\//gm) ?? [];
    expect(rows).toHaveLength(EXAMPLES.length);
  });

  test('the provider for the AI SDK has at most 150 lines', () => {
    expect(read('examples/ai-sdk.ts').trimEnd().split('\n').length).toBeLessThanOrEqual(150);
  });
});
