import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readTable } from '../../../api/drafts/tables.node';
import { NgramTable } from '../../../decoding';

describe('an n-gram table', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tandem-tables-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const refusal = (name: string) => expect(readTable(path.join(folder, name))).rejects;

  it('is read from a file', async () => {
    const table = new NgramTable(2, 9);
    table.learn([3, 4, 1]);
    writeFileSync(path.join(folder, 'table.json'), JSON.stringify(table));
    expect(JSON.stringify(await readTable(path.join(folder, 'table.json')))).toBe(JSON.stringify(table));
  });

  // Opening a FIFO waits for its writer, and there is none.
  it('is none in a FIFO, a directory or a device, and where there is nothing', async () => {
    execFileSync('mkfifo', [path.join(folder, 'fifo')]);
    await refusal('fifo').toThrow(/found no file: a directory, a pipe or a device/);
    await refusal('.').toThrow(/found no file/);
    await refusal('../../dev/zero').toMatchObject({ code: 'option-invalid' });
    await refusal('none').toThrow(/found ENOENT/);
  });

  it.each([
    ['deep.json', `{"a":${'['.repeat(1_000_000)}`, /expected JSON of an n-gram table/],
    [
      'contexts.json',
      '{"format":"tandem-ngram","version":1,"order":2,"vocabularySize":9,"contexts":[1]}',
      /expected contexts, found \[1\]/,
    ],
    [
      'keys.json',
      '{"format":"tandem-ngram","version":1,"order":2,"vocabularySize":9,"contexts":{"\\u001b[31m":[1,1]}}',
      /token ids with commas between, found "\\u001b\[31m"/,
    ],
  ])('with what is none is refused: %s', async (name, content, message) => {
    writeFileSync(path.join(folder, name), content);
    await refusal(name).toThrow(message);
  });
});
