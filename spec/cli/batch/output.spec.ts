import { appendFileSync, existsSync, linkSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSameFile, outputFile, standardOutput } from '../../../cli/batch/output';
import { scratch } from './stub';

const folder = scratch();
let count = 0;
/** A place for a file of some text; null: nothing is there. */
function place(text: string | null): string {
  const path = join(folder, `output-${count++}`);
  if (text !== null) writeFileSync(path, text);
  return path;
}
const record = (line: number) => `${JSON.stringify({ line, hash: `h${line}` })}\n`;

describe('a file of records', () => {
  it.each<[string, string | null, string, object | null]>([
    ['is not there', null, '', null],
    ['is empty', '', '', null],
    ['has the beginning of a record', '{"li', '', null],
    ['has one', record(1), record(1), { line: 1, hash: 'h1' }],
    [
      'has two and a part',
      record(1) + record(2) + record(3).slice(0, -1),
      record(1) + record(2),
      { line: 2, hash: 'h2' },
    ],
    [
      'has one that is longer than a block',
      `{"line":4,"hash":"h4","x":"${'y'.repeat(200_000)}"}\n${'{"line":5'.padEnd(70_000)}`,
      `{"line":4,"hash":"h4","x":"${'y'.repeat(200_000)}"}\n`,
      { line: 4, hash: 'h4' },
    ],
  ])('that %s goes on after its last whole line', async (_, text, kept, last) => {
    const path = place(text);
    const output = await outputFile(path);
    expect(output.last).toEqual(last);
    expect(readFileSync(path, 'utf8') === kept).toBe(true);
    for (const line of [6, 7]) await output.write(record(line));
    expect(readFileSync(path, 'utf8') === kept + record(6) + record(7)).toBe(true);
    output.close();
  });

  it('goes on after a record that another program has written anew, with its keys in another order', async () => {
    for (const text of ['{"hash":"h1","line":1}\n', ` ${record(1)}`, '{ "line": 1, "hash": "h1" }\n']) {
      const path = place(text);
      const output = await outputFile(path);
      output.close();
      expect([output.last, readFileSync(path, 'utf8')]).toEqual([{ line: 1, hash: 'h1' }, text]);
    }
  });

  it.each([
    ...[
      'hello',
      'hello\n',
      '{"line":"1","hash":"h"}\n',
      '{"line":1.5,"hash":"h"}\n',
      '{"line":1,"hash":2}\n',
      '{"hash":',
    ],
    ...['null\n', `${record(1)}other\n`, `${'x'.repeat(100_000)}`],
  ])('that begins with something else is refused and not touched', async (text) => {
    const path = place(text);
    await expect(outputFile(path)).rejects.toMatchObject({
      code: 'source-invalid',
      message: expect.stringContaining(path),
    });
    expect(readFileSync(path, 'utf8') === text).toBe(true);
  });

  it('to which another process writes, or which it cuts, is left alone', async () => {
    for (const change of [(path: string) => appendFileSync(path, 'x'), (path: string) => truncateSync(path, 3)]) {
      const path = place(record(1));
      const output = await outputFile(path);
      change(path);
      const before = readFileSync(path, 'utf8');
      await expect(output.write(record(2))).rejects.toMatchObject({
        code: 'io-failed',
        message: expect.stringMatching(new RegExp(`${record(1).length} bytes .* found ${before.length}:`)),
      });
      expect(readFileSync(path, 'utf8')).toBe(before);
      output.close();
    }
  });

  it('that cannot be written is refused before anything is decoded', async () => {
    const path = join(folder, 'no-folder', 'a.jsonl');
    await expect(outputFile(path)).rejects.toMatchObject({ code: 'io-failed' });
    await expect(outputFile(folder)).rejects.toMatchObject({ code: 'io-failed' });
    expect(existsSync(path)).toBe(false);
  });

  it('is another one’s where both are the same file, by whatever name', () => {
    const [one, other] = [place('a'), place('a')];
    linkSync(one, `${one}-too`);
    expect([isSameFile(one, one), isSameFile(one, `${one}-too`), isSameFile(one, other)]).toEqual([true, true, false]);
    expect([isSameFile(one, `${one}-none`), isSameFile(`${one}-none`, `${one}-none`)]).toEqual([false, false]);
  });
});

describe('records on standard output', () => {
  afterEach(() => jest.restoreAllMocks());

  it('wait while the reader takes no more', async () => {
    const written: string[] = [];
    let isFull = false;
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      written.push(String(text));
      return !isFull;
    });
    const output = standardOutput();
    expect(output.last).toBeNull();
    await output.write('a\n');
    isFull = true;
    let isDone = false;
    const waiting = output.write('b\n').then(() => {
      isDone = true;
    });
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    await turn();
    const before = isDone;
    process.stdout.emit('drain');
    await turn();
    output.close();
    jest.restoreAllMocks();
    expect([before, isDone, written]).toEqual([false, true, ['a\n', 'b\n']]);
    await waiting;
  });
});
