import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildCommand, removeCommand, startTandem } from './command';
import { inside } from './inside';

beforeAll(() => buildCommand());
afterAll(removeCommand);

const TEXT = 'And the word of the LORD came unto Jonah the second time, saying, Arise, go unto Nineveh.';
const ENDLESS = ['generate', '--backend', 'cpu', '--min-new-tokens', '8000', '--max-new-tokens', '8000', TEXT];

/** Starts the command, and collects what it prints. */
function started(args: readonly string[]) {
  const child = startTandem(args);
  const printed = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    printed.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    printed.stderr += chunk;
  });
  return { child, printed };
}

describe('a signal', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s cancels a run: exit code %i, one line on standard error, and the text so far ends its line',
    async (name, code) => {
      const { child, printed } = started(ENDLESS);
      await once(child.stdout, 'data'); // it is decoding
      child.kill(name);
      const [status] = await once(child, 'close');
      expect(status).toBe(code);
      expect(printed.stderr).toBe('tandem: cancelled\n');
      expect(printed.stdout).toMatch(/^[^\n]+\n$/);
    },
  );

  test('cancels reading of a standard input that never ends', async () => {
    const { child, printed } = started(['generate']);
    const lines = 'a line\n'.repeat(1 << 16);
    await new Promise((resolve) => child.stdin.write(lines, resolve)); // more than a pipe holds: it is being read
    child.kill('SIGINT');
    const [status] = await once(child, 'close');
    expect({ status, ...printed }).toEqual({ status: 130, stdout: '', stderr: 'tandem: cancelled\n' });
  });
});

describe('an abort', () => {
  test('ends tandem paper, hours before its passages are through', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 3000);
    const args = ['paper', '--passages', '200', '--backend', 'cpu', '--max-new-tokens', '100000'];
    const run = await inside(args, { signal: controller.signal });
    // On a busy machine the models may still be loading: then that is what the abort ends.
    expect(run).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(/^tandem: .*(abort|cancel)/i) });
  });
});

describe('a second signal', () => {
  beforeAll(() => buildCommand('spec/cli/deaf.ts'));

  test.each([
    ['SIGINT', 'SIGINT'],
    ['SIGTERM', 'SIGINT'],
    ['SIGINT', 'SIGTERM'],
  ] as const)('(%s, then %s) ends a process at once, even one whose event loop stands still', async (first, second) => {
    const { child, printed } = started([]);
    await once(child.stdout, 'data');
    child.kill(first);
    while (!printed.stdout.includes('deaf')) await once(child.stdout, 'data');
    child.kill(second);
    const [status, end] = await once(child, 'exit'); // the default effect of the signal: a shell reports 128 and its number
    expect({ status, end }).toEqual({ status: null, end: second });
  });

  test('is not needed after SIGTERM, even where a file system call never returns', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-signals-'));
    try {
      execFileSync('mkfifo', [join(folder, 'fifo')]);
      const { child } = started([join(folder, 'fifo')]);
      await once(child.stdout, 'data');
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']); // a shell reports 143
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
