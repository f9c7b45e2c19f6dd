import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const MUTATION = join(ROOT, 'scripts', 'mutation');

interface Mutant {
  readonly file: string;
  readonly text: string;
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  readonly leftOut: 'wording' | 'equivalent' | null;
}

function node(program: string, args: readonly string[], cwd: string) {
  const options = { cwd, encoding: 'utf8', maxBuffer: 1 << 28 } as const; // the mutants of many files are megabytes
  const { stdout, stderr, status } = spawnSync(process.execPath, [program, ...args], options);
  return { stdout, stderr, status };
}

function mutantsOf(files: readonly string[], cwd: string): readonly Mutant[] {
  const { stdout, stderr, status } = node(join(MUTATION, 'mutants.mjs'), files, cwd);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return JSON.parse(stdout);
}

/** Sources of which only wording is left out. */
const WORDING = `
  throw new EngineError('row-invalid', \`row \${at + 1}: expected one, found \${found > 1 ? 'several rows' : found}\`);
  throw new Error('expected a prefix, found another');
  throw badSetting('lenience', '1 with verification', other);
  throw badSetting('gamma', 'none', other);
  expectArgument(valid, where, 'an epsilon from 0 up', epsilon);
  const options = { cache: { about: 'directory of models', flag: '--cache <dir>' } };
  const expected = many ? 'a list of rows' : 'a row';
  const hint = 'say it ' + 'again';
  command.description('decodes texts').addHelpText('after', 'tandem generate TEXT');
  process.stderr.write('tandem: going on\\n');
  const reason = 'this engine has no threads';
  const keys = { d_kv: followed('width'), prefix: { irrelevant: 'pipelines read it' }, dola: { refused: 'no such layers' } };
`;
const WORDING_LEFT_OUT = [
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a source
  "`row ${at + 1}: expected one, found ${found > 1 ? 'several rows' : found}`",
  "'several rows'",
  "'expected a prefix, found another'",
  "'1 with verification'",
  "'none'",
  "'an epsilon from 0 up'",
  "'directory of models'",
  "'a list of rows'",
  "'a row'",
  "'say it '",
  "'again'",
  "'decodes texts'",
  "'tandem generate TEXT'",
  "'tandem: going on\\n'",
  "'this engine has no threads'",
  "'width'",
  "'pipelines read it'",
  "'no such layers'",
];

/** Sources of which nothing is left out. */
const NO_WORDING = `
  throw new EngineError('disposed', message);
  throw badSetting('gamma', expected, found);
  expectShape(where, 'residual.rows', rows, found);
  throw badRow(row, expected, \`\${start} + \${count}\`);
  process.stdout.write('a line that a program may read\\n');
  const flag = '--cache <dir>';
  const file = 'model file.json';
  const reason = 'eos';
  const found = list.includes('one of them');
  const expected = list.join(', ');
  const name = kind === 'a kind' ? 'one' : 'two';
  throw new Error(texts[at + 1]);
`;

describe('mutants', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tandem-mutants-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('of wording are left out, and nothing else', () => {
    writeFileSync(join(folder, 'wording.ts'), WORDING);
    writeFileSync(join(folder, 'codes.ts'), NO_WORDING);
    const mutants = mutantsOf(['wording.ts', 'codes.ts'], folder);
    const leftOut = mutants.filter((mutant) => mutant.leftOut !== null);
    expect(leftOut.map(({ file, from }) => [file, from])).toEqual(WORDING_LEFT_OUT.map((from) => ['wording.ts', from]));
    expect(leftOut.filter(({ kind, leftOut }) => kind !== 'StringLiteral' || leftOut !== 'wording')).toEqual([]);
    // What a message says stays: the sum and the choice in the first line, the code, the key and the flag.
    const kept = mutants
      .filter(({ file, leftOut }) => file === 'wording.ts' && leftOut === null)
      .map(({ from }) => from);
    for (const from of ['at + 1', 'found > 1', "'row-invalid'", "'lenience'", "'gamma'", "'--cache <dir>'"]) {
      expect(kept).toContain(from);
    }
    for (const from of ["'disposed'", "'residual.rows'", "'eos'", "'one of them'", "', '", "'a kind'"]) {
      expect(mutants.filter(({ file }) => file === 'codes.ts').map((mutant) => mutant.from)).toContain(from);
    }
  });

  const rows: readonly (Omit<Mutant, 'kind' | 'leftOut'> & { readonly why: string })[] = JSON.parse(
    readFileSync(join(MUTATION, 'equivalent.json'), 'utf8'),
  );

  it('that nobody can notice are each there once, with a reason', () => {
    for (const { file, why } of rows)
      expect([file, existsSync(join(ROOT, file)), why.length > 20]).toEqual([file, true, true]);
    const files = [...new Set(rows.map(({ file }) => file))];
    const mutants = files.length === 0 ? [] : mutantsOf(files, ROOT);
    const named = (row: (typeof rows)[number]) => (mutant: Mutant) =>
      mutant.file === row.file && mutant.text === row.text && mutant.from === row.from && mutant.to === row.to;
    for (const row of rows) expect([row, mutants.filter(named(row)).length]).toEqual([row, 1]);
    expect(mutants.filter(({ leftOut }) => leftOut === 'equivalent').length).toBe(rows.length);
  });
});

describe('a mutant in a copy of its source', () => {
  it('stands in the place of the old text and binds as it did, and only a valid one counts', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-copy-'));
    const expression = '(a && b) === (c > "b")';
    const source = `export const all = (a: boolean, b: boolean, c: string): boolean => ${expression};\nexport const x: 'x' = 'x';\n`;
    writeFileSync(join(folder, 'all.ts'), source);
    writeFileSync(join(folder, 'tsconfig.json'), '{ "compilerOptions": { "strict": true }, "files": ["all.ts"] }');
    const program = `
      import { readFileSync } from 'node:fs';
      import { mutantsOf } from ${JSON.stringify(join(MUTATION, 'mutants.mjs'))};
      import { mutated } from ${JSON.stringify(join(MUTATION, 'nearest.mjs'))};
      import { withTypeErrors } from ${JSON.stringify(join(MUTATION, 'types.mjs'))};
      const mutants = await mutantsOf(['all.ts']);
      const invalid = withTypeErrors(mutants);
      const source = readFileSync('all.ts', 'utf8');
      console.log(JSON.stringify(mutants.map((mutant) => [mutated(source, mutant).trim(), invalid.includes(mutant.key)])));
    `;
    const { stdout, stderr } = node('--input-type=module', ['-e', program], folder);
    rmSync(folder, { recursive: true });
    expect(stderr).toBe('');
    const found: [string, boolean][] = JSON.parse(stdout);
    const text = (changed: string) => source.replace(expression, changed).trim();
    expect(found.filter(([changed]) => changed === source.trim())).toEqual([]);
    expect(found).toContainEqual([text('((a && b) !== c > "b")'), false]);
    expect(found).toContainEqual([text('((a || b)) === (c > "b")'), false]);
    expect(found).toContainEqual([text('(a && b) === ((c <= "b"))'), false]);
    expect(found).toContainEqual([source.replace("= 'x'", '= ""').trim(), true]);
    expect(found.filter(([, isInvalid]) => isInvalid)).toHaveLength(1);
  });
});

describe('npm run mutate -- --changed', () => {
  let folder: string;
  const git = (...args: string[]) => {
    const settings = [
      '-c',
      'user.name=a',
      '-c',
      'user.email=a@b',
      '-c',
      'init.defaultBranch=main',
      '-c',
      'commit.gpgsign=false',
    ];
    expect(spawnSync('git', [...settings, ...args], { cwd: folder, encoding: 'utf8' })).toMatchObject({ status: 0 });
  };
  const commit = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    git('add', '.');
    git('commit', '-qm', name);
  };
  /** Base and changed lines, as scripts/mutation/changed.mjs sees them in the folder. */
  const changed = (since?: string) => {
    const program = `
      import { baseOf, changedLines } from ${JSON.stringify(join(MUTATION, 'changed.mjs'))};
      const base = baseOf(${JSON.stringify(since)});
      const lines = base && [...changedLines(base.commit)].map(([file, numbers]) => [file, [...numbers]]);
      console.log(JSON.stringify([base && base.name, lines]));
    `;
    const { stdout, stderr } = node('--input-type=module', ['-e', program], folder);
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tandem-changed-'));
    mkdirSync(join(folder, 'api'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('has no base without a repository, and in a clone of one commit', () => {
    expect(changed()).toEqual([null, null]);
    git('init', '-q');
    commit('api/a.ts', 'one\ntwo\nthree\n');
    expect(changed()).toEqual([null, null]);
    expect(changed('v1')).toEqual([null, null]);
  });

  it('takes lines that a branch added or changed, those that are not committed, and new files', () => {
    git('init', '-q');
    commit('api/a.ts', 'one\ntwo\nthree\nfour\n');
    commit('api/a.ts', 'one\n2\nthree\nfour\n');
    expect(changed()).toEqual(['HEAD~1', [['api/a.ts', [2]]]]);
    git('checkout', '-qb', 'branch');
    commit('api/b.ts', 'b\n');
    commit('api/a.ts', 'one\n2\nfour\nfive\n');
    writeFileSync(join(folder, 'api/b.ts'), 'b\nc\n');
    writeFileSync(join(folder, 'api/d.ts'), 'd');
    const lines = [
      ['api/a.ts', [4]],
      ['api/b.ts', [1, 2]],
      ['api/d.ts', [1]],
    ];
    expect(changed()).toEqual(['the last commit shared with main', lines]);
    expect(changed('HEAD')).toEqual([
      'HEAD',
      [
        ['api/b.ts', [2]],
        ['api/d.ts', [1]],
      ],
    ]);
  });
});

describe('the score of mutants', () => {
  const found = (killed: number, survived: number) => {
    const program = `
      import { isBelowBar, scoreOf } from ${JSON.stringify(join(MUTATION, 'report.mjs'))};
      const results = [...Array(${killed}).fill({ status: 'Killed' }), ...Array(${survived}).fill({ status: 'Survived' })];
      const score = scoreOf([...results, { status: 'Ignored' }, { status: 'CompileError' }, {}]);
      console.log(JSON.stringify(score && [score.all, isBelowBar(score, true), isBelowBar(score, false)]));
    `;
    return JSON.parse(node('--input-type=module', ['-e', program], ROOT).stdout);
  };

  it('misses the bar of a sample only where the whole interval is below it', () => {
    expect(found(0, 0)).toBeNull();
    expect(found(85, 15)).toEqual([100, false, false]);
    expect(found(8, 2)).toEqual([10, false, true]);
    expect(found(60, 40)).toEqual([100, true, true]);
  });
});
