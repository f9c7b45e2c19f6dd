import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { probeBackends } from '../../kernels';
import { expectOneLine } from './command';
import { inside } from './inside';

const folder = mkdtempSync(join(tmpdir(), 'tandem-doctor-'));
const usual = process.argv;
afterEach(() => {
  process.argv = usual;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What `tandem doctor --probe` is here: the command asks the program that it is itself, in a process of its own. */
function probe(program: string): void {
  const file = join(folder, 'probe.js');
  writeFileSync(file, program);
  process.argv = [usual[0], file];
}
const answers = (found: unknown) => probe(`process.stdout.write(${JSON.stringify(JSON.stringify(found))})`);

const cache = (name: string) => ({ XDG_CACHE_HOME: join(folder, name), TANDEM_COSTS: '' });
const doctor = (name: string, ...flags: string[]) => inside(['doctor', ...flags], { variables: cache(name) });

const BACKENDS = [
  { name: 'wasm', available: true, reason: 'relaxed-simd, 2 threads' },
  { name: 'gpu', available: false, reason: 'no\u001b[2Jadapter' },
];

describe('tandem doctor', () => {
  it('says on its page what it says as JSON, and no control character', async () => {
    answers(BACKENDS);
    const { stdout } = await doctor('none', '--json');
    const found = JSON.parse(stdout);
    expect(found.backends).toEqual(BACKENDS);
    expect(Object.keys(found)).toEqual([
      ...['version', 'node', 'platform', 'cores', 'processor', 'memoryBytes', 'sharedMemory'],
      ...['auto', 'wide', 'costs', 'backends'],
    ]);
    expect(found).toMatchObject({ node: process.version, cores: cpus().length, sharedMemory: true });
    expect(found.platform).toBe(`${process.platform}-${process.arch}`);
    const page = await doctor('none');
    expect([page.status, page.stderr]).toEqual([0, '']);
    const { auto, wide } = found;
    const count = (number: number, word: string) => `${number} ${word}${number === 1 ? '' : 's'}`;
    const rows = page.stdout.trimEnd().split('\n');
    expect(rows.map((row) => row.split(/ {2,}/).slice(0, 2))).toEqual([
      ['tandem', found.version],
      ['node', `${found.node} on ${found.platform}`],
      [
        'processor',
        `${found.processor}, ${count(found.cores, 'core')}, ${(found.memoryBytes / 2 ** 30).toFixed(1)} GiB of memory`,
      ],
      ['SharedArrayBuffer', 'yes: threads can share weights'],
      [
        'auto takes',
        `${auto.name} (${auto.level}), ${count(auto.threads, 'thread')}; ${auto.reason}; types ${auto.weightTypes.join(', ')}`,
      ],
      ['256-bit arithmetic', `${wide.on ? 'on' : 'off'}: ${wide.reason}`],
      ['learnt costs', `0 files in ${join(folder, 'none', 'tandem', 'costs')}`],
      ['backend wasm', 'works: relaxed-simd, 2 threads'],
      ['backend gpu', 'does not work: no\\x1b[2Jadapter'],
    ]);
  });

  it('asks with one flag, which prints what each backend reaches and nothing else', async () => {
    probe(
      'process.stdout.write(JSON.stringify([{ name: process.argv.slice(2).join(" "), available: true, reason: "x" }]))',
    );
    expect(JSON.parse((await doctor('none', '--json')).stdout).backends[0].name).toBe('doctor --probe');
    const printed = await inside(['doctor', '--probe']);
    expect([printed.status, printed.stderr, JSON.parse(printed.stdout)]).toEqual([0, '', await probeBackends()]);
  });

  it.each([
    ['an exit code', 'process.exit(3)', /expected an answer from the backends, found exit code 3/],
    ['no answer', '', /found exit code 0/],
    ['half an answer', 'process.stdout.write("[{")', /found exit code 0/],
    ['a signal', 'process.kill(process.pid, "SIGKILL")', /found it ended by SIGKILL/],
  ])('whose backends give %s is one line', async (_, program, message) => {
    probe(program);
    const run = await doctor('none');
    expect([run.status, run.stdout]).toEqual([1, '']);
    expectOneLine(run, message);
  });

  it('that is cancelled says so', async () => {
    probe('setInterval(() => undefined, 1000)');
    const controller = new AbortController();
    const run = inside(['doctor'], { signal: controller.signal, variables: cache('none') });
    setTimeout(() => controller.abort(new Error('enough')), 50);
    expect(await run).toEqual({ status: 1, stdout: '', stderr: 'tandem: enough\n' });
  });
});

describe('learnt costs', () => {
  const key = { target: 'mine f32', drafter: 'copy', threads: 1 };
  const way = { target: [[1, 1]], draft: [], further: [], opening: 1, alpha: 0.25 };
  const ways = {
    greedy: {
      ...way,
      target: [...way.target, [5, 2.5]],
      draft: [
        [1, 0.125],
        [4, 0.5],
      ],
      alpha: 0.5,
    },
    sampled: way,
  };
  const keep = (name: string, count: number) => {
    const place = join(folder, name, 'tandem', 'costs');
    mkdirSync(place, { recursive: true });
    for (let i = 0; i < count; i++) {
      const text = i === 1 ? 'broken' : JSON.stringify({ format: 'tandem-costs', version: 2, key, ...ways });
      writeFileSync(join(place, `${i}.json`), text);
    }
    return place;
  };

  it.each([
    [1, '1 file'],
    [3, '3 files'],
  ])('of %i files are counted, listed, and removed where that is asked for', async (count, counted) => {
    answers(BACKENDS);
    const name = `kept-${count}`;
    const place = keep(name, count);
    const lines = (await doctor(name)).stdout.split('\n');
    const at = lines.findIndex((line) => line.startsWith('learnt costs'));
    expect(lines[at]).toMatch(new RegExp(` ${counted} in ${place}$`));
    const shown = lines.slice(at + 1, at + 1 + count).map((line) => line.trim().split(/ {2,}/));
    const good = ['copy', 'mine f32, 1 thread; greedy: α 0.50, c 0.13, v(5) 2.50; sampled: α 0.25, c ?, v(1) 1.00'];
    const broken = ['not taken', `${join(place, '1.json')}: expected JSON, found broken`];
    expect(shown).toEqual([good, broken, good].slice(0, count));
    expect(lines[at + 1 + count]).toMatch(/^backend wasm/);
    const gone = await doctor(name, '--forget-costs');
    expect(gone.stdout).toContain(` 0 files in ${place}; ${counted} removed\n`);
    expect(readdirSync(place)).toEqual([]);
  });

  it('are neither shown nor removed where none are kept', async () => {
    answers(BACKENDS);
    keep('off', 1);
    const variables = { ...cache('off'), TANDEM_COSTS: 'off' };
    const page = await inside(['doctor', '--forget-costs'], { variables });
    expect(page.stdout).toMatch(/^learnt costs +none are kept: TANDEM_COSTS is off\nbackend wasm/m);
    expect(JSON.parse((await inside(['doctor', '--json'], { variables })).stdout).costs).toBeNull();
    expect(readdirSync(join(folder, 'off', 'tandem', 'costs'))).toEqual(['0.json']);
  });
});
