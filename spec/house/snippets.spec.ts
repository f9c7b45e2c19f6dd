import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '../../cli/settings';
import { inside, keepModels } from '../cli/inside';

const ROOT = join(__dirname, '..', '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
];

interface Block {
  readonly page: string;
  readonly language: string;
  readonly text: string;
  /** Whether `npm run docs:fill` writes it from the sources; spec/house/site.spec.ts compares. */
  readonly isFilled: boolean;
}

function blocksOf(page: string): Block[] {
  return [...read(page).matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)].map(({ 1: language, 2: text, index }) => {
    const before = read(page).slice(0, index).split('\n').slice(-6).join('\n');
    return { page, language, text, isFilled: /^<!-- (code|output) /m.test(before) };
  });
}

const BLOCKS = PAGES.flatMap(blocksOf);

/** What runs the blocks of a language, by page; a spec that is named here must name the page. */
const RUN_BY: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ts: {
    'README.md': 'spec/house/readme.spec.ts',
    'docs/coming-from.md': 'spec/house/readme.spec.ts',
    'docs/tour.md': 'spec/house/readme.spec.ts',
    'docs/examples.md': 'spec/house/readme.spec.ts',
    'docs/exactness.md': 'spec/house/readme.spec.ts',
    'docs/gpu.md': 'spec/house/readme.spec.ts',
    'docs/tokenizers.md': 'spec/house/readme.spec.ts',
  },
  js: { 'docs/serving.md': 'spec/cli/serve.spec.ts' },
  json: {
    'docs/serving.md': 'spec/cli/serve.spec.ts',
    'docs/batch.md': 'spec/house/snippets.spec.ts',
    'docs/measuring.md': 'spec/house/snippets.spec.ts',
  },
  html: { 'docs/browsers.md': 'spec/house/package/page.try.ts' },
};

test('every block of code in a page is written from the sources, is run, or is what a program printed', () => {
  expect(BLOCKS.length).toBeGreaterThan(50);
  for (const { page, language, isFilled } of BLOCKS) {
    if (isFilled || ['sh', 'text', ''].includes(language)) continue; // shell: below
    const spec = RUN_BY[language]?.[page];
    expect([page, language, spec]).toEqual([page, language, expect.any(String)]);
    expect([page, language, read(spec).includes(page)]).toEqual([page, language, true]);
  }
});

/** Words of a line of shell, without its comment. */
function wordsOf(line: string): string[] {
  const words: string[] = [];
  for (const [word, bare, double, single] of line.matchAll(/#.*|"([^"]*)"|'([^']*)'|[^\s"'#]+/g)) {
    if (word.startsWith('#')) break;
    words.push(bare ?? double ?? single ?? word);
  }
  return words;
}

/** Files that commands of the pages read. */
const FILES: Readonly<Record<string, string>> = {
  'verses.txt': 'Jesus wept.\nThou art the man.\n',
  'texts.txt': 'Jesus wept.\nThou art the man.\n',
  'letter.txt': 'Jesus wept.\nThou art the man.\n',
  'in.jsonl': '"Jesus wept."\n[571, 14, 1]\n',
  'pairs.tsv': 'Jesus wept.\tJesus wept.\n',
};
/** Models that are not here: the bundled pair's stand for them, and a checkpoint with sentinels. */
const MODELS: readonly (readonly [named: RegExp, present: string])[] = [
  [/^google\/t5-v1_1-small$|^path\/to\/sentence-t5$/, join(ROOT, 'spec/data/transformers')],
  [/^(google|path\/to)\/.*/, 'models/modernize-draft'],
];
/** What makes a command short. */
const SHORT: Readonly<Record<string, readonly string[]>> = {
  generate: ['--max-new-tokens', '3'],
  batch: ['--max-new-tokens', '3', '--quiet'],
  bench: ['--kernels', 'norm', '--types', 'f32', '--rows', '1', '--max-new-tokens', '2'],
  tune: ['--limit', '1', '--max-new-tokens', '2', '--draft', 'copy', '--only-given'],
  eval: ['--max-new-tokens', '3'],
  prove: ['--only', 'samplers', '--cases', '1'],
};
/** Commands that need a process of their own or much time, with the spec that runs them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  paper: 'spec/cli/paper/command.spec.ts',
  serve: 'spec/cli/serve.spec.ts',
  explore: 'spec/cli/explore.spec.ts',
  doctor: 'spec/cli/inspect.spec.ts',
};

interface Call {
  readonly page: string;
  readonly args: readonly string[];
  readonly input?: string;
}

/** The calls of tandem in the shell blocks of a page. */
function callsOf(page: string): Call[] {
  const lines = blocksOf(page).flatMap(({ language, text }) => (language === 'sh' ? text.split('\n') : []));
  return lines.flatMap((line): Call[] => {
    const [, before, command] =
      /^(.*?)\b(?:node bin\/tandem\.js|tandem) (.*)$/.exec(line.replace(/^source <\((.*?)\)/, '$1')) ?? [];
    if (command === undefined || /^npm /.test(line)) return [];
    const words = wordsOf(command);
    const end = words.findIndex((word) => /^[<>|]$/.test(word));
    const from = /cat (\S+)/.exec(before)?.[1] ?? (words[end] === '<' ? words[end + 1] : undefined);
    const args = end < 0 ? words : words.slice(0, end);
    return [{ page, args, ...(from !== undefined && { input: FILES[from] }) }];
  });
}

const CALLS = PAGES.flatMap(callsOf);

describe('the commands of the pages', () => {
  keepModels();
  const home = process.cwd();
  const scratch = mkdtempSync(join(tmpdir(), 'tandem-snippets-'));
  beforeAll(() => {
    process.chdir(scratch);
    symlinkSync(join(ROOT, 'models'), 'models');
    for (const [name, content] of Object.entries(FILES)) writeFileSync(name, content);
  });
  afterAll(() => {
    process.chdir(home);
    rmSync(scratch, { recursive: true, force: true });
  });

  test('are found', () => {
    expect(CALLS.length).toBeGreaterThan(40);
    for (const spec of Object.values(ELSEWHERE)) expect(read(spec)).not.toBe('');
  });

  const isFirst = ({ args }: Call, i: number) => CALLS.findIndex((one) => `${one.args}` === `${args}`) === i;
  const here = CALLS.filter(isFirst).filter(({ args }) => !(args[0] in ELSEWHERE) && !args.includes('gpu'));
  test.each(here.map((call) => [`${call.page}: ${call.args.join(' ')}`, call] as const))(
    '%s',
    async (_, { args, input }) => {
      const present = args.map((word) => MODELS.reduce((text, [named, model]) => text.replace(named, model), word));
      const [, file] = args.includes('--out') ? args.slice(args.indexOf('--out')) : [];
      if (file !== undefined) rmSync(file, { recursive: true, force: true }); // of the command before
      const run = await inside([...present, ...(SHORT[args[0]] ?? [])], { input });
      expect([run.status, run.stderr]).toEqual([0, expect.not.stringMatching(/^tandem: .*expected/)]);
      if (file !== undefined) expect(readdirSync('.')).toContain(file);
      else expect(run.stdout).not.toBe('');
    },
  );
});

test('docs/batch.md: lines of the input are taken, and a record has the fields that the page shows', async () => {
  const [lines, shown] = blocksOf('docs/batch.md').filter(({ language }) => language === 'json');
  const run = await inside(['batch', '--quiet', '--exit-zero', '--max-new-tokens', '3'], {
    input: `${lines.text}no JSON\n`,
  });
  const records = run.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const [good, bad] = shown.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(records.map(({ error }) => error === undefined)).toEqual([true, true, true, false]);
  expect(Object.keys(records[2])).toEqual(Object.keys(good));
  expect(Object.keys(records[3])).toEqual(Object.keys(bad));
});

test('docs/measuring.md: the settings file is taken', async () => {
  const [settings] = blocksOf('docs/measuring.md').filter(({ language }) => language === 'json');
  const folder = mkdtempSync(join(tmpdir(), 'tandem-snippets-'));
  try {
    writeFileSync(join(folder, 'best.json'), settings.text);
    const found = await readSettings(join(folder, 'best.json'), new AbortController().signal);
    expect(found).toEqual(JSON.parse(settings.text));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
