import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');

/** What a program prints that may import ES modules, which jest cannot on every Node. */
function printed(program: string): string {
  const args = ['-r', 'ts-node/register/transpile-only', '-e', program];
  return execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

const FILL = "require('./scripts/docs/fill')";
const filled = (page: string): string =>
  printed(`process.stdout.write(${FILL}.filled(${JSON.stringify(page)}, (name) => 'value of ' + name))`);

describe('the pages of docs/', () => {
  test('have the code, the figures and the plots that their sources give', () => {
    expect(JSON.parse(printed(`${FILL}.stale().then((names) => console.log(JSON.stringify(names)))`))).toEqual([]);
  });

  test('are each in one topic of the site', () => {
    const config = readFileSync(join(ROOT, 'docs/.vitepress/config.mts'), 'utf8');
    const listed = [...config.matchAll(/\['[^']+', 'docs\/([\w-]+\.md)'\]/g)].map(([, name]) => name);
    const pages = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
    expect(pages.length).toBeGreaterThan(10);
    expect(listed.sort()).toEqual(pages.sort());
  });
});

describe('a part that is filled', () => {
  const page =
    '<!-- code decoding/round.ts: export async function round -->\n```ts\n```\nthen\n<!-- output a -->\nold\n<!-- end -->\n';

  test('gets the function as it stands, and what is computed', () => {
    const once = filled(page);
    expect(once).toContain('`decoding/round.ts`:\n\n```ts\nexport async function round(');
    expect(once).toContain('\n}\n```\nthen\n<!-- output a -->\n\nvalue of a\n\n<!-- end -->\n');
    expect(once).not.toContain('old');
    expect(filled(once)).toBe(once);
  });

  test('of a function that is gone is an error', () => {
    expect(() => filled(page.replace('function round', 'function gone'))).toThrow(
      /decoding\/round\.ts: expected a line/,
    );
  });
});

describe('the check of links', () => {
  const site = mkdtempSync(join(tmpdir(), 'tandem-site-'));
  afterAll(() => rmSync(site, { recursive: true, force: true }));

  test('finds links and anchors that lead nowhere, and no others', () => {
    mkdirSync(join(site, 'api'));
    writeFileSync(join(site, 'api/index.html'), '<h1 id="there">api</h1><a href="../">up</a><a href="/gone">x</a>');
    writeFileSync(
      join(site, 'index.html'),
      '<a href="/api/#there">a</a><a href="api/#not">b</a><a href="https://example.org/">c</a><img src="none.png"><a href="#here" id="here">d</a>',
    );
    const program = `import('./scripts/docs/check-links.mjs').then(({ deadLinks }) => console.log(JSON.stringify(deadLinks(${JSON.stringify(site)}))))`;
    const { dead, pages } = JSON.parse(
      execFileSync(process.execPath, ['-e', program], { cwd: ROOT, encoding: 'utf8' }),
    );
    expect(pages).toBe(2);
    expect(dead.sort()).toEqual(['api/index.html: /gone', 'index.html: api/#not', 'index.html: none.png']);
  });
});
