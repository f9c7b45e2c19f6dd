import { prove } from '../../cli/prove/command';
import { PAPERS_RULE } from '../../decoding';
import { buildCommand, expectOneLine, removeCommand, startTandem, tandem } from './command';
import { inside, records } from './inside';

/** Runs `prove` itself, with another rule in place of the shipped one. */
async function proveWith(rule: typeof PAPERS_RULE, only: 'samplers' | 'statistics', json: boolean) {
  const printed: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  try {
    await prove({ only: [only], cases: 2, json }, new AbortController().signal, rule);
    return { exitCode: process.exitCode, text: printed.join('') };
  } finally {
    write.mockRestore();
    process.exitCode = undefined;
  }
}

const WRONG = { ...PAPERS_RULE, residual: (target: Parameters<typeof PAPERS_RULE.residual>[0]) => target };

describe('tandem prove', () => {
  test('enumerates the shipped samplers, and says what it measured', async () => {
    const [report] = await records(['prove', '--only', 'samplers', '--cases', '2', '--seed', '3']);
    expect(report).toMatchObject({ passed: true, seed: 3, mutants: [] });
    expect(report.checks.map(({ name }: { name: string }) => name)).toEqual([
      'token: every path',
      'block: every path',
      'trees [2, 1]: every path',
      'coupled: the seed fixes the text',
    ]);
    for (const check of report.checks) expect(check).toMatchObject({ passed: true, failure: null });
    const drafters = 8; // 16 cases of two cells; coupled verification has four seeds for each
    expect(report.checks[3].measured).toBe(`${drafters * 2 * 4} texts`);
    expect(report.checks[0].measured).toMatch(/^16 cases, total variation at most \d(\.\d)?e-1[3-9]|0\.0e\+0$/);
  });

  describe('as a process', () => {
    beforeAll(() => buildCommand());
    afterAll(() => removeCommand());

    test('checks the kernels of every backend that works, as a page', () => {
      const run = tandem(['prove', '--only', 'kernels']);
      expect(run).toMatchObject({ status: 0, stderr: '' });
      expect(run.stdout).toMatch(/^The kernels keep their laws\n {2}✓ {2}wasm \(.*\) +10 laws, beside the reference\n/);
      expect(run.stdout).toMatch(/\d checks passed, seed 1, \d+ s\n$/);
    });

    test('hears SIGINT', async () => {
      const child = startTandem(['prove', '--only', 'samplers,mutants', '--cases', '1']);
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.stdout.once('data', () => child.kill('SIGINT')); // the samplers are done
      expect(await ended).toBe(130);
    });
  });

  test('checks the statistics of the bundled pair', async () => {
    const run = await inside(['prove', '--only', 'statistics']);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(run.stdout).toMatch(/✓ {2}coupled, temperature 1, top-p 0\.9 +100 texts, χ² [\d.]+ at \d+ degrees, p = /);
  });

  test('fails with exit code 1 where the rule is wrong, and gives the text: enumeration', async () => {
    const { exitCode, text } = await proveWith(WRONG, 'samplers', false);
    expect(exitCode).toBe(1);
    expect(text).toMatch(/✗ FAILED {2}token: every path/);
    expect(text).toMatch(/drafts: model, .*: text [\d,]+ has 0\.\d+, the target gives it 0\.\d+/);
    expect(text).toMatch(/✓ +block: every path/); // it has rules of its own
    expect(text).toMatch(/[12] of 4 checks FAILED, seed 1/);
  });

  test('… and as a number for programs: statistics of the real engine', async () => {
    const accepting = { ...PAPERS_RULE, accepts: () => true };
    const { exitCode, text } = await proveWith(accepting, 'statistics', true);
    expect(exitCode).toBe(1);
    const report = JSON.parse(text);
    expect(report).toMatchObject({ passed: false });
    expect(report.checks[0]).toMatchObject({
      passed: false,
      failure: expect.stringMatching(/expected p above 0.000001/),
    });
    expect(report.checks[1]).toMatchObject({ passed: true });
  });

  test.each([
    [['--only', 'magic'], /^tandem: --only: expected some of samplers, mutants, .*, found 'magic'/],
    [['--seed', '-1'], /^tandem: --seed: expected a whole number from 0 to 1000000, found '-1'/],
    [['--cases', '26'], /^tandem: --cases: expected a whole number from 1 to 25, found '26'/],
    [['extra'], /too many arguments/],
  ])('refuses %j', async (args, message) => {
    const run = await inside(['prove', ...args]);
    expect(run).toMatchObject({ status: 2, stdout: '' });
    expectOneLine(run, message);
  });

  test('ends where it is cancelled', async () => {
    const controller = new AbortController();
    const run = inside(['prove', '--only', 'samplers'], { signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    expect(await run).toMatchObject({ status: 1, stdout: '' });
  });

  test('has help with examples', async () => {
    const { status, stdout } = await inside(['prove', '--help']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/Examples:\n {2}tandem prove +everything/);
  });
});
