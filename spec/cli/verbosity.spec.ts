import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wordsOf } from '../../cli/completion/words';
import { buildProgram } from '../../cli/program';
import { tellingProgress } from '../../cli/verbosity';
import { BUNDLED, expectOneLine } from './command';
import { inside } from './inside';

/** Commands that compute nothing with a model: all that they say is their result. */
const WITHOUT = ['', 'explore', 'inspect', 'ngram', 'ngram build', 'doctor', 'completion'];

test('every command that computes with a model has both flags; the others have neither', () => {
  const commands = wordsOf(buildProgram([], new AbortController().signal));
  for (const { path, flags } of commands) {
    const found = flags.flatMap(({ names }) => names).filter((name) => /^(-q|--quiet|-v|--verbose)$/.test(name));
    expect([path, found]).toEqual([path, WITHOUT.includes(path) ? [] : ['-q', '--quiet', '-v', '--verbose']]);
  }
  expect(commands.length).toBeGreaterThan(WITHOUT.length + 9);
});

const CALLS = [
  ['generate', 'Amen.'],
  ['batch'],
  ['serve'],
  ['embed', 'Amen.'],
  ['score', 'Amen.'],
  ['eval'],
  ['tune'],
  ['bench'],
  ['prove'],
  ['paper'],
  ['quantize', BUNDLED.draft, '--dtype', 'q8', '--out', 'never'],
];

test.each(CALLS.map((call) => [call]))('%j refuses both together, by name, before anything is loaded', async (call) => {
  const run = await inside([...call, '--quiet', '--verbose']);
  expect(run).toMatchObject({ status: 2, stdout: '' });
  expectOneLine(run, /^tandem: expected --quiet or --verbose, found both\n$/);
});

const PLACE = ['--backend', 'cpu', '--threads', '1', '-n', '3'];

test('--verbose tells on standard error what is loaded, what computes and what each text took; the output is the same', async () => {
  const usual = await inside(['generate', 'Amen.', ...PLACE]);
  const told = await inside(['generate', 'Amen.', ...PLACE, '--gamma', '4', '--verbose']);
  expect([told.status, told.stdout]).toEqual([0, usual.stdout]);
  expect(usual.stderr).toBe('');
  const lines = told.stderr.trimEnd().split('\n');
  const expected = [
    /^tandem: reading the weights of the target \S*modernize-target \(\d+\.\d MB\)$/,
    /^tandem: reading the weights of the draft \S*modernize-draft \(\d+\.\d MB\)$/,
    /^tandem: tandem-t5 \d+\.\d+\.\d+, Node v[\d.]+, \w+ \w+, \d+ processors$/,
    /^tandem: target \S*modernize-target: \S+, 22818048 parameters, bf16, \d+\.\d MB in memory$/,
    /^tandem: draft \S*modernize-draft: \S+, 426816 parameters, bf16, \d+\.\d MB in memory$/,
    /^tandem: prefix of every input: "modernize: "$/,
    /^tandem: computes on cpu \(\S+\), 1 thread\b/,
    /^tandem: loaded in \d+\.\d\d s$/,
    /^tandem: line 1: [1-3] tokens? in [\d.]+ s \(target [\d.]+, draft [\d.]+\); \d rounds?, \d target calls?, \d+ draft calls?; γ 4, \d+ of \d+ proposed tokens accepted, α [\d.]+/,
  ];
  expect(lines).toHaveLength(expected.length);
  for (const [i, pattern] of expected.entries()) expect(lines[i]).toMatch(pattern);
});

test('--verbose and --json say of a float32 file how many matrices are kept in bf16; the text is that of --dtype f32, which keeps none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-verbosity-'));
  try {
    await inside(['quantize', BUNDLED.draft, '--dtype', 'f32', '--out', join(folder, 'out')]);
    const call = ['generate', 'Amen.', ...PLACE, '--model', join(folder, 'out'), '--draft', 'none', '--verbose'];
    const [narrowed, asked] = [await inside(call), await inside([...call, '--dtype', 'f32'])];
    expect(narrowed.stdout).toBe(asked.stdout);
    const told = (types: string) => new RegExp(`426816 parameters, ${types} in memory\n`);
    expect(narrowed.stderr).toMatch(told('f32 \\(bf16 for \\d+ of its matrices, with the same bits\\), 1\\.1 MB'));
    expect(asked.stderr).toMatch(told('f32, 1\\.7 MB'));
    const { stdout } = await inside([...call, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ dtype: 'f32', narrowed: expect.any(Number) });
    expect(narrowed.stderr).toContain(`bf16 for ${JSON.parse(stdout).narrowed} of`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('--verbose names a draft that is no model, and the lack of one', async () => {
  const copy = await inside(['generate', 'Amen.', ...PLACE, '--draft', 'copy', '--verbose']);
  expect(copy.stderr).toContain('\ntandem: draft copy: no model\n');
  const none = await inside(['generate', 'Amen.', ...PLACE, '--draft', 'none', '--verbose']);
  expect(none.stderr).toContain('\ntandem: no draft\n');
});

test('tandem quantize --verbose tells what is opened and written; the output is the same', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-verbosity-'));
  try {
    const call = ['quantize', BUNDLED.draft, '--dtype', 'q8', '--force', '--out', join(folder, 'out')];
    const [usual, quiet, told] = [await inside(call), await inside([...call, '-q']), await inside([...call, '-v'])];
    expect([usual.stderr, quiet, told.stdout]).toEqual(['', usual, usual.stdout]);
    const lines = told.stderr.trimEnd().split('\n');
    const expected = [
      /^tandem: tandem-t5 \d+\.\d+\.\d+, Node v[\d.]+, \w+ \w+, \d+ processors$/,
      /^tandem: opened \S*modernize-draft: t5, \d+ tensors of BF16, 0\.\d MB$/,
      /^tandem: writing .*model\.safetensors/,
      /^tandem: written in \d+\.\d\d s$/,
    ];
    expect(lines).toHaveLength(expected.length);
    for (const [i, pattern] of expected.entries()) expect(lines[i]).toMatch(pattern);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('tandem prove --verbose tells what each group of checks took; the output is the same', async () => {
  const call = ['prove', '--only', 'samplers', '--cases', '1'];
  const [usual, told] = [await inside(call), await inside([...call, '--verbose'])];
  const withoutTime = ({ stdout }: { stdout: string }) => stdout.replace(/\d+ s\n$/, '');
  expect([usual.stderr, withoutTime(told)]).toEqual(['', withoutTime(usual)]);
  expect(told.stderr).toMatch(/^tandem: tandem-t5 .*\ntandem: samplers: \d+ checks in \d+\.\d\d s\n$/);
});

test('--quiet prints no report on a terminal and does not count failed lines; errors are printed', async () => {
  const call = ['generate', 'Amen.', ...PLACE, '--no-color'];
  const usual = await inside(call, { terminal: true });
  const quiet = await inside([...call, '--quiet'], { terminal: true });
  expect(quiet.stdout).toMatch(/^Amen.*\n$/);
  expect(usual.stdout.startsWith(quiet.stdout)).toBe(true);
  expect(usual.stdout.length).toBeGreaterThan(quiet.stdout.length);
  const input = Buffer.from([0x61, 0x0a, 0xff, 0x0a]);
  const broken = (...more: string[]) => inside(['generate', ...PLACE, ...more], { input });
  expect((await broken()).stderr).toMatch(/^tandem: line 2: [^\n]+\ntandem: 1 of 2 lines decoded\n$/);
  expect((await broken('--quiet')).stderr).toMatch(/^tandem: line 2: [^\n]+\n$/);
});

test('each model and each downloaded file is told once', () => {
  const written: string[] = [];
  const write = jest.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  try {
    const hear = tellingProgress({ verbose: true });
    const one = { role: 'target', model: 'a/b', loaded: 0, total: 2_500_000 } as const;
    for (const item of ['config.json', 'config.json', 'x.safetensors']) hear({ ...one, phase: 'download', item });
    for (const item of ['shared.weight', 'lm_head.weight']) hear({ ...one, phase: 'load', item });
  } finally {
    write.mockRestore();
  }
  expect(written).toEqual([
    'tandem: downloading config.json of a/b (2.5 MB)\n',
    'tandem: downloading x.safetensors of a/b (2.5 MB)\n',
    'tandem: reading the weights of the target a/b (2.5 MB)\n',
  ]);
});
