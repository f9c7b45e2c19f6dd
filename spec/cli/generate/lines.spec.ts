import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inside, keepModels } from '../inside';

keepModels();

const scratch = mkdtempSync(join(tmpdir(), 'tandem-lines-'));
const file = join(scratch, 'lines.txt');
/** Line 3 is not UTF-8, line 5 has no token (a zero-width space), lines 2 and 6 are blank. */
const BYTES = Buffer.concat([
  Buffer.from('Thou art the man.\n\ncaf'),
  Buffer.from([0xe9]),
  Buffer.from('\nHe said.\n\u200b\n  \nThou art my rock.\n'),
]);
beforeAll(() => writeFileSync(file, BYTES));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const ARGS = ['generate', '--file', file, '--prefix', '', '--max-new-tokens', '6'];
const WAYS: readonly (readonly string[])[] = [
  [],
  ['--concurrency', '1'],
  ['--compare'],
  ['--trace', join(scratch, 'trace')],
];

describe('lines of a file', () => {
  test.each(WAYS)('keep their place in text: as many lines come out as went in (%s %s)', async (...way) => {
    const run = await inside([...ARGS, ...way]);
    expect(run.status).toBe(1);
    const lines = run.stdout.slice(0, -1).split('\n');
    expect(lines).toHaveLength(7);
    const { stdout: fourth } = await inside(['generate', 'He said.', '--prefix', '', '--max-new-tokens', '6']);
    expect(lines[3]).toBe(fourth.trimEnd());
    for (const empty of [1, 2, 4, 5]) expect(lines[empty]).toBe('');
    for (const full of [0, 6]) expect(lines[full]).not.toBe('');
    const errors = run.stderr.split('\n').filter((line) => line.startsWith('tandem:'));
    expect(errors).toEqual([
      expect.stringMatching(/^tandem: line 3: .*expected UTF-8 text, found other bytes$/),
      'tandem: line 5: text: expected at least one token, found none',
      'tandem: 3 of 5 lines decoded',
    ]);
  });

  test.each(WAYS)(
    'say their index, their line and their input in JSON, and a failed line says why (%s %s)',
    async (...way) => {
      const run = await inside([...ARGS, '--json', ...way]);
      expect(run).toMatchObject({ status: 1, stderr: 'tandem: 3 of 5 lines decoded\n' });
      const records = run.stdout
        .slice(0, -1)
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(records.map(({ index, line, input }) => [index, line, input])).toEqual([
        [0, 1, 'Thou art the man.'],
        [1, 3, null],
        [2, 4, 'He said.'],
        [3, 5, '\u200b'],
        [4, 7, 'Thou art my rock.'],
      ]);
      expect(records.map(({ error }) => error?.code ?? null)).toEqual([
        null,
        'source-invalid',
        null,
        'source-invalid',
        null,
      ]);
      for (const { error, text, ids } of records) {
        if (error)
          expect([error.message, text, ids]).toEqual([
            expect.stringMatching(/expected .* found/),
            undefined,
            undefined,
          ]);
        else expect(ids.length).toBeGreaterThan(0);
      }
    },
  );

  test('that fail alone are one error', async () => {
    const text = await inside(['generate', '--prefix', '', '\u200b']);
    expect(text).toEqual({ status: 1, stdout: '', stderr: 'tandem: text: expected at least one token, found none\n' });
    const json = await inside(['generate', '--prefix', '', '--json', '\u200b']);
    expect(json).toMatchObject({ status: 1, stderr: 'tandem: 0 of 1 lines decoded\n' });
    expect(JSON.parse(json.stdout)).toMatchObject({ index: 0, line: 1, error: { code: 'source-invalid' } });
  });
});
