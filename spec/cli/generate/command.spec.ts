import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUNDLED, buildCommand, removeCommand, startTandem, tandem } from '../command';

const TEXT = 'And the word of the LORD came unto Jonah the second time, saying, Arise, go unto Nineveh.';
const scratch = mkdtempSync(join(tmpdir(), 'tandem-generate-'));
beforeAll(() => buildCommand());
afterAll(() => {
  removeCommand();
  rmSync(scratch, { recursive: true, force: true });
});

describe('tandem generate, as a process', () => {
  test('writes bare text to a pipe, the same from TEXT, a file and standard input', () => {
    const path = join(scratch, 'one.txt');
    writeFileSync(path, `${TEXT}\n`);
    const fromText = tandem(['generate', TEXT]);
    expect(fromText).toMatchObject({ status: 0, stderr: '' });
    expect(fromText.stdout).toMatch(/^Yahweh’s word came to Jonah[^\n]*\n$/);
    for (const run of [
      tandem(['generate', '--file', path]),
      tandem(['generate'], TEXT),
      tandem(['generate', '-'], TEXT),
    ]) {
      expect(run).toEqual(fromText);
    }
  });

  test('shows examples, a report and the equality without arguments, though standard input is empty', () => {
    const run = tandem([]);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    const examples = JSON.parse(readFileSync(join(BUNDLED.target, '..', 'pair.json'), 'utf8')).examples as string[];
    for (const example of examples) expect(run.stdout).toContain(example);
    expect(run.stdout).toMatch(/tokens a target call +[\d.]+ \(/);
    expect(run.stdout).toMatch(/speed-up +[\d.]+× measured, [\d.]+× predicted/);
    expect(run.stdout).toMatch(/equal +yes: with and without the draft/);
    expect(run.stdout).not.toContain('\u001b');
  });

  test('exits with 2 when it was called wrongly, and with 1 when something failed', () => {
    expect(tandem(['generate', '--gamma', 'x', 'hi']).status).toBe(2);
    expect(tandem(['generate', '--file', '/no/such/file']).status).toBe(1);
    expect(tandem(['generate', '--prefix', ''], 'He said.\n\u200b\n')).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/^[^\n]*\n\n$/),
      stderr: 'tandem: line 2: text: expected at least one token, found none\ntandem: 1 of 2 lines decoded\n',
    });
  });

  test('ends quietly when the reader closes the pipe', async () => {
    const child = startTandem(['generate', '--min-new-tokens', '2000', '--max-new-tokens', '2000', TEXT]);
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [status] = await once(child, 'exit');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
