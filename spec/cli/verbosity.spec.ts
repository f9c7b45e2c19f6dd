import { Command } from 'commander';
import { addBatchFlags } from '../../cli/batch/flags';
import { addBenchFlags } from '../../cli/bench/command';
import { addEmbedFlags } from '../../cli/embed';
import { addEvalFlags } from '../../cli/eval/command';
import { addGenerateFlags } from '../../cli/generate/flags';
import { addScoreFlags } from '../../cli/score';
import { addServeFlags } from '../../cli/serve';
import { addTuneFlags } from '../../cli/tune/flags';
import { tellingProgress } from '../../cli/verbosity';
import { expectOneLine } from './command';
import { inside } from './inside';

const COMMANDS = {
  ...{ generate: addGenerateFlags, batch: addBatchFlags, serve: addServeFlags, embed: addEmbedFlags },
  ...{ score: addScoreFlags, eval: addEvalFlags, tune: addTuneFlags, bench: addBenchFlags },
};

test.each(Object.keys(COMMANDS) as (keyof typeof COMMANDS)[])('tandem %s has both flags', (name) => {
  const command = COMMANDS[name](new Command(name));
  const flags = command.options.map(({ flags }) => flags);
  expect(flags).toEqual(expect.arrayContaining(['-q, --quiet', '-v, --verbose']));
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
];

test.each(CALLS.map((call) => [call]))('%j refuses both together, by name, before anything is loaded', async (call) => {
  const run = await inside([...call, '--quiet', '--verbose']);
  expect(run).toMatchObject({ status: 2, stdout: '' });
  expectOneLine(run, /^tandem: expected --quiet or --verbose, found both\n$/);
});

const PLACE = ['--backend', 'cpu', '--threads', '1', '-n', '3'];

test('--verbose tells on standard error what is loaded, what computes and what each text took; the output is the same', async () => {
  const usual = await inside(['generate', 'Amen.', ...PLACE]);
  const told = await inside(['generate', 'Amen.', ...PLACE, '--verbose']);
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
    /^tandem: computes on cpu \(\S+\), 1 threads/,
    /^tandem: loaded in \d+\.\d\d s$/,
    /^tandem: line 1: [1-3] tokens in [\d.]+ s \(target [\d.]+, draft [\d.]+\); \d rounds, \d target calls, \d+ draft calls; γ 4, \d+ of \d+ proposed tokens accepted, α [\d.]+/,
  ];
  expect(lines).toHaveLength(expected.length);
  for (const [i, pattern] of expected.entries()) expect(lines[i]).toMatch(pattern);
});

test('--verbose names a draft that is no model, and the lack of one', async () => {
  const copy = await inside(['generate', 'Amen.', ...PLACE, '--draft', 'copy', '--verbose']);
  expect(copy.stderr).toContain('\ntandem: draft copy: no model\n');
  const none = await inside(['generate', 'Amen.', ...PLACE, '--draft', 'none', '--verbose']);
  expect(none.stderr).toContain('\ntandem: no draft\n');
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
