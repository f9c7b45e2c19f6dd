import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const { files: packed } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] };

/** Every page that a reader meets: at the root, and in the folders that hold documentation. */
function pages(): string[] {
  const at = (folder: string) => readdirSync(join(ROOT, folder)).map((name) => join(folder, name));
  const folders = readdirSync(join(ROOT, 'models'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const all = [...at('.'), ...at('docs'), ...at('models'), ...folders.flatMap(({ name }) => at(join('models', name)))];
  return [...all, 'bench/peers/README.md'].filter((name) => name.endsWith('.md'));
}

interface Link {
  readonly file: string;
  readonly anchor: string;
}

/** Links and pictures of a page that lead to a file of this repository. Code is left out: there `](` means something else. */
function linksOf(page: string): Link[] {
  const text = readFileSync(join(ROOT, page), 'utf8')
    .replace(/^```[\s\S]*?^```/gm, '')
    .replace(/`[^`\n]*`/g, '');
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)|\bsrc="([^"]+)"/g)].map((match) => match[1] ?? match[2]);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path, anchor = ''] = target.split('#');
      return { file: path === '' ? page : join(dirname(page), path), anchor };
    });
}

/** The anchors that GitHub and npm give to the headings of a page. */
function anchorsOf(page: string): string[] {
  const headings = readFileSync(join(ROOT, page), 'utf8')
    .replace(/^```[\s\S]*?^```/gm, '')
    .matchAll(/^#+ +(.*)$/gm);
  return [...headings].map(([, title]) => slug(title));
}

function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

const isIn = (file: string, folder: string) => file === folder || file.startsWith(`${folder}/`);
/** As npm reads `files`: what a later line with `!` leaves out is not packed. */
const isPacked = (file: string) =>
  packed.some((one) => isIn(file, one)) && !packed.some((one) => one.startsWith('!') && isIn(file, one.slice(1)));

describe('the pages of the documentation', () => {
  test('are found, and README links to others', () => {
    expect(pages()).toEqual(
      expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'docs/decisions.md', 'models/README.md']),
    );
    expect(linksOf('README.md').length).toBeGreaterThan(5);
  });

  test.each(pages())('%s links to files and headings that exist', (page) => {
    const broken = linksOf(page).filter(({ file, anchor }) => {
      if (!existsSync(join(ROOT, file))) return true;
      return anchor !== '' && !(file.endsWith('.md') && anchorsOf(file).includes(anchor));
    });
    expect(broken).toEqual([]);
  });

  test('that travel with the package link only to what travels with it', () => {
    const travelling = pages().filter(isPacked);
    expect(travelling).toEqual(expect.arrayContaining(['README.md', 'docs/decisions.md']));
    const missing = travelling.flatMap((page) =>
      linksOf(page)
        .filter(({ file }) => !isPacked(relative('.', file)))
        .map(({ file }) => `${page} → ${file}`),
    );
    expect(missing).toEqual([]);
  });
});
