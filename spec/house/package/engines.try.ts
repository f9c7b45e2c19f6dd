import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Project, ROOT, run } from './project';

const EXAMPLES = join(ROOT, 'examples', 'batch');
const PYTHON = join(ROOT, 'build', 'engines', 'bin', 'python');
const TEXTS = ['Thou art my rock and my fortress.', 'Verily he cometh quickly.', 'Jesus wept.', 'And he went up.'];

interface Decoded {
  readonly id?: string;
  readonly line?: number;
  readonly text?: string;
  readonly error?: { readonly message: string } | string;
}

const parse = (text: string): Decoded[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe('examples/batch, with the packed package', () => {
  const project = new Project();
  const tandem = `${process.execPath} ${join(project.folder, 'node_modules', 'tandem-t5', 'bin', 'tandem.js')}`;
  const flags = ['--threads', '1', '--temperature', '1', '--max-new-tokens', '16'];
  let whole: string;
  let texts: Map<string, string | undefined>;
  beforeAll(() => {
    process.env.RAY_raylet_start_wait_time_s = '180'; // its 30 seconds are too few on a machine that does other things too
    run('sh', [join(ROOT, 'scripts', 'engines-setup.sh')], ROOT, 580_000);
    project.install([process.env.TANDEM_TARBALL as string], 300);
    const lines = Array.from({ length: 13 }, (_, i) =>
      JSON.stringify({ id: `verse ${i}`, input: TEXTS[i % TEXTS.length] }),
    );
    project.write('good.jsonl', `${lines.join('\n')}\n`);
    project.write('in.jsonl', `${lines.slice(0, 5).join('\n')}\n\nno JSON\n${lines.slice(5).join('\n')}\n`);
    whole = project.node(...tandem.split(' ').slice(1), 'batch', 'in.jsonl', '--exit-zero', '--quiet', ...flags);
    texts = new Map(parse(whole).map(({ id, text }) => [id ?? 'none', text]));
    expect(texts.size).toBe(14);
  });
  afterAll(() => project.dispose());

  /** Runs a script of the examples; the command is the one that the project installed. */
  const script = (name: string, args: readonly string[], environment = '') =>
    run(
      'sh',
      ['-c', `${environment} TANDEM="${tandem}" exec sh "$0" "$@"`, join(EXAMPLES, name), ...args],
      project.folder,
    );
  const read = (...path: string[]) => readFileSync(join(project.folder, ...path), 'utf8');
  const inFolder = (folder: string) =>
    readdirSync(join(project.folder, folder))
      .filter((name) => /^part-|\.json$/.test(name))
      .flatMap((name) => parse(read(folder, name)));

  test('Spark pipes partitions through it: each line has the text of one run, and an error stays in its record', () => {
    const more = ['--tandem', tandem, `--flags=${flags.join(' ')}`, '--partitions', '3'];
    run(PYTHON, [join(EXAMPLES, 'spark.py'), 'in.jsonl', 'spark', ...more], project.folder, 300_000);
    const records = inFolder('spark');
    expect(records).toHaveLength(14);
    expect(new Map(records.map(({ id, text }) => [id ?? 'none', text]))).toEqual(texts);
    expect(records.filter(({ error }) => error)).toMatchObject([{ error: { code: 'source-invalid' } }]);
  });

  test('Ray Data keeps it loaded in an actor and has the same texts', () => {
    const more = ['--tandem', tandem, `--flags=${flags.join(' ')}`];
    run(PYTHON, [join(EXAMPLES, 'ray_data.py'), 'good.jsonl', 'ray', ...more], project.folder, 300_000);
    const rows = inFolder('ray');
    expect(rows).toHaveLength(13);
    for (const { id, text, error } of rows) expect([text, error]).toEqual([texts.get(id as string), '']);
  });

  test('GNU parallel runs shards, and merge.sh gives the bytes of one run', () => {
    script('parallel.sh', ['3', 'in.jsonl', 'by-parallel', ...flags]);
    expect(read('by-parallel.jsonl')).toBe(whole);
    script('parallel.sh', ['3', 'in.jsonl', 'by-parallel', ...flags]); // all is there already
    expect(read('by-parallel.jsonl')).toBe(whole);
  });

  test('the jobs of a Slurm array are shards; one that is sent again goes on', () => {
    const job = (id: number) =>
      script(
        'slurm.sh',
        ['in.jsonl', 'by-slurm', '--quiet', ...flags.slice(2)],
        [`SLURM_ARRAY_TASK_ID=${id} SLURM_ARRAY_TASK_MIN=4 SLURM_ARRAY_TASK_COUNT=2 SLURM_CPUS_PER_TASK=1`].join(' '),
      );
    for (const id of [4, 5, 4]) job(id);
    script('merge.sh', ['2', 'by-slurm']);
    expect(read('by-slurm.jsonl')).toBe(whole);
  });

  test.each<[string, string[], RegExp]>([
    ['slurm.sh', ['in.jsonl', 'out'], /SLURM_ARRAY_TASK_ID: expected a job of an array/],
    ['slurm.sh', ['in.jsonl'], /expected the input and the output's name, found 1 arguments/],
    ['parallel.sh', ['3', 'in.jsonl'], /expected the number of shards/],
    ['merge.sh', [], /expected the number of shards and the output's name/],
    ['merge.sh', ['2', 'none'], /none.1.jsonl/],
    ['parallel.sh', ['2', 'none.jsonl', 'out'], /'none.jsonl': expected a file that can be read, found ENOENT/],
  ])('%s %j says what is wrong', (name, args, message) => {
    expect(() => script(name, args)).toThrow(message);
  });

  test('a process that fails fails the task of Spark', () => {
    const more = ['--tandem', tandem, '--flags=--no-such-flag'];
    const start = () =>
      run(PYTHON, [join(EXAMPLES, 'spark.py'), 'good.jsonl', 'failed', ...more], project.folder, 300_000);
    expect(start).toThrow(/unknown option '--no-such-flag'/);
  });
});
