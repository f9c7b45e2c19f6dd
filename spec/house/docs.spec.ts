import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { runCommand } from '../../cli/program';

const ROOT = join(__dirname, '..', '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Files of the repository: those that git tracks, and new ones that it does not ignore. */
const FILES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(ROOT, path)));
const NAMES = new Set(FILES.map((path) => basename(path)));
const PAGES = FILES.filter((path) => path.endsWith('.md') && !path.startsWith('spec/data/'));
/** Folders at the top of the repository. A path in a page begins with one of them. */
const FOLDERS = new Set(FILES.filter((path) => path.includes('/')).map((path) => path.split('/')[0]));
/** TypeScript that a page may name things of. */
const SOURCE = FILES.filter((path) => /\.(ts|mjs|cjs)$|^tsconfig\.json$/.test(path) && !path.startsWith('spec/'))
  .map(read)
  .join('\n');

/** One piece of code in a page: an inline span, or one line of a block. */
interface Code {
  readonly text: string;
  /** The block's language; '' for an inline span. */
  readonly language: string;
}

/** Pages whose tables name what is not here in their first column: what is gone, and what other libraries have. */
const FOREIGN = ['CHANGELOG.md', 'docs/coming-from.md'];

function withoutForeignNames(page: string, text: string): string {
  return FOREIGN.includes(page) ? text.replace(/^\|[^|\n]*\|/gm, '|') : text;
}

function codeOf(page: string): Code[] {
  const text = withoutForeignNames(page, read(page));
  const found: Code[] = [];
  const prose = text.replace(/```(\w*)\n([\s\S]*?)```/g, (_, language: string, body: string) => {
    for (const line of body.split('\n')) found.push({ text: line, language: language || 'text' });
    return '';
  });
  for (const [, span] of prose.matchAll(/`([^`\n]+)`/g)) found.push({ text: span, language: '' });
  return found;
}

/** Words of a piece of code that can only be paths of this repository. */
function pathsIn(text: string): string[] {
  const words = text.split(/[\s'"`(),;:=]+/).map((word) => word.replace(/^\.\//, '').replace(/[.…]+$/, ''));
  return words.filter((word) => {
    const first = word.split('/')[0];
    return word.includes('/') && FOLDERS.has(first) && !/[<>*{}$]/.test(word);
  });
}

/** A name of a source file without its folder, such as `round.ts`. */
const isFileName = (word: string) => /^[\w.-]+\.(ts|mjs|cjs|py|sh)$/.test(word) && !/^x\./.test(word);

async function helpOf(...words: string[]): Promise<string> {
  const printed: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  try {
    await runCommand([...words, '--help'], new AbortController().signal);
  } finally {
    write.mockRestore();
  }
  return printed.join('');
}

const flagsIn = (text: string) => [...text.matchAll(/(?<![\w-])--[a-z][a-z0-9-]*/g)].map(([flag]) => flag);

/** Flags of every subcommand by its words, of benches, and of the scripts for fuzzers, mutants and goldens. */
async function knownFlags(): Promise<Map<string, Set<string>>> {
  const known = new Map<string, Set<string>>();
  const commands = (help: string) => {
    const list = /^Commands:\n([\s\S]*)/m.exec(help)?.[1].split(/\n\S/)[0] ?? '';
    return [...list.matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name).filter((name) => name !== 'help');
  };
  const visit = async (...words: string[]) => {
    const help = await helpOf(...words);
    known.set(['tandem', ...words].join(' '), new Set(flagsIn(help)));
    for (const name of commands(help)) await visit(...words, name);
  };
  await visit();
  const benches = FILES.filter((path) => path.startsWith('bench/') && path.endsWith('.ts')).map(read);
  const named = benches.flatMap((text) => [...text.matchAll(/^\s+'?([a-z-]+)'?: \{ type: '(?:string|boolean)'/gm)]);
  known.set('bench', new Set([...benches.flatMap(flagsIn), ...named.map(([, name]) => `--${name}`)]));
  known.set('fuzz', new Set(flagsIn(read('scripts/fuzz.ts'))));
  known.set('mutate', new Set(flagsIn(read('scripts/mutate.mjs'))));
  known.set('golden', new Set(flagsIn(read('scripts/goldens/make.py'))));
  return known;
}

/** The flags that a piece of code may have. */
function flagsFor(text: string, known: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> {
  if (/(?<!\btandem )\bbench\b/.test(text)) return known.get('bench') as ReadonlySet<string>;
  if (/\bnpm run fuzz\b/.test(text)) return known.get('fuzz') as ReadonlySet<string>;
  if (/\bnpm run mutate\b/.test(text)) return known.get('mutate') as ReadonlySet<string>;
  if (/\bgolden\b/.test(text)) return known.get('golden') as ReadonlySet<string>;
  if (/\besbuild\b/.test(text)) return new Set(['--external']);
  const words = /\btandem(?:\.js)?((?: [a-z]+)*)/.exec(text)?.[1].trim().split(' ') ?? [];
  for (let count = words.length; count > 0; count--) {
    const flags = known.get(['tandem', ...words.slice(0, count)].join(' '));
    if (flags) return flags;
  }
  return new Set([...known.values()].flatMap((flags) => [...flags]));
}

describe('the docs', () => {
  test('are found', () => {
    expect(PAGES).toEqual(
      expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'docs/exactness.md', 'docs/glossary.md']),
    );
  });

  test('every path and every file that code in a page names exists', () => {
    const named = PAGES.flatMap((page) => codeOf(page).map(({ text }) => [page, text] as const));
    const paths = named.flatMap(([page, text]) => pathsIn(text).map((path) => [page, path] as const));
    const files = named.filter(([, text]) => isFileName(text));
    expect(paths.length).toBeGreaterThan(60);
    expect(files.length).toBeGreaterThan(3);
    const missing = paths.filter(([, path]) => !existsSync(join(ROOT, path)) && !isIgnored(path));
    const unknown = files.filter(([, name]) => !NAMES.has(name));
    expect([...missing, ...unknown]).toEqual([]);
  });

  test('every --flag is known to the command, the bench or the script that it is written for', async () => {
    const known = await knownFlags();
    expect(known.get('tandem generate')?.size).toBeGreaterThan(20);
    const uses = PAGES.flatMap((page) => codeOf(page).map(({ text }) => [page, text] as const)).flatMap(
      ([page, text]) => flagsIn(text).map((flag) => [page, text, flag] as const),
    );
    expect(uses.length).toBeGreaterThan(25);
    expect(uses.filter(([, text, flag]) => !flagsFor(text, known).has(flag))).toEqual([]);
  });

  test('every npm script and every subcommand is there', async () => {
    const texts = PAGES.flatMap((page) => codeOf(page).map(({ text }) => text));
    const scripts = texts.flatMap((text) => [...text.matchAll(/\bnpm run ([\w:]+)/g)].map(([, name]) => name));
    const { scripts: known } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    expect(scripts.length).toBeGreaterThan(10);
    expect(scripts.filter((name) => !(name in known))).toEqual([]);
    const commands = texts.flatMap((text) => [...text.matchAll(/(?:^|\| )tandem ([a-z]+)/g)].map(([, name]) => name));
    const flags = await knownFlags();
    expect(commands.length).toBeGreaterThan(10);
    expect(commands.filter((name) => !flags.has(`tandem ${name}`))).toEqual([]);
  });

  test('every name in camelCase is one of the sources', () => {
    const names = PAGES.flatMap((page) =>
      codeOf(page)
        .filter(({ language }) => language === '')
        .flatMap(({ text }) => [...text.matchAll(/\b[a-z]+[A-Z]\w*\b/g)].map(([name]) => [page, name] as const)),
    );
    expect(names.length).toBeGreaterThan(10);
    const known = new Set(SOURCE.match(/\b\w+\b/g));
    expect(names.filter(([, name]) => !known.has(name))).toEqual([]);
  });
});

/** Folders that builds make: a page may name what is in them. */
function isIgnored(path: string): boolean {
  const ignored = ['build', 'dist', 'docs/api', 'kernels/wasm/generated', 'node_modules'];
  return ignored.some((folder) => path === folder || path.startsWith(`${folder}/`));
}
