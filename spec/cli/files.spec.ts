import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { checkWritable, type Line, linesOf, openFile, wholeText, writeText } from '../../cli/files';

const scratch = mkdtempSync(join(tmpdir(), 'tandem-files-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const place = (name: string) => join(scratch, name);
const never = new AbortController().signal;
const WIDE = { where: 'file', most: 1 << 20, longest: 1 << 16, lines: 1000 };

async function* chunked(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (let i = 0; start < bytes.length; i++) {
    const end = start + sizes[i % sizes.length];
    yield bytes.subarray(start, end);
    start = end;
  }
}

async function linesIn(bytes: Uint8Array, sizes: readonly number[] = [7], limits = WIDE): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const line of linesOf(chunked(bytes, sizes), limits)) lines.push(line);
  return lines;
}

const piece = fc.oneof(fc.constantFrom('\n', '\r', '\r\n', '', 'a', ' '), fc.string({ unit: 'grapheme' }));
const texts = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join('').replace(/\uFEFF/g, ''));
const chunks = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });

describe('lines of a text', () => {
  it('are the text split at LF, CR LF and CR, numbered from 1, whatever chunks it comes in', async () => {
    await fc.assert(
      fc.asyncProperty(texts, chunks, async (text, sizes) => {
        const expected = text.split(/\r\n|\n|\r/);
        if (expected.at(-1) === '') expected.pop(); // a line end at the very end begins no new line
        const lines = await linesIn(Buffer.from(text), sizes);
        expect(lines).toEqual(expected.map((line, i) => ({ number: i + 1, text: line })));
      }),
    );
  });

  it('that are not UTF-8 carry an error, and the lines around them are unaffected', async () => {
    const bytes = Buffer.concat([Buffer.from('one\ncaf'), Buffer.from([0xe9]), Buffer.from('\nthree')]);
    const [one, two, three] = await linesIn(bytes);
    expect([one, three]).toEqual([
      { number: 1, text: 'one' },
      { number: 3, text: 'three' },
    ]);
    expect(two).toMatchObject({ number: 2, error: { code: 'source-invalid' } });
    expect('error' in two && two.error.message).toBe('file: line 2: expected UTF-8 text, found other bytes');
  });

  it('begin after a byte order mark; UTF-16 is refused', async () => {
    expect(await linesIn(Buffer.from('\uFEFFa\n\uFEFFb'))).toEqual([
      { number: 1, text: 'a' },
      { number: 2, text: '\uFEFFb' },
    ]);
    for (const mark of [
      [0xff, 0xfe],
      [0xfe, 0xff],
    ]) {
      await expect(linesIn(Uint8Array.from([...mark, 65, 0, 10, 0]))).rejects.toThrow(
        /expected UTF-8 text, found UTF-16/,
      );
    }
  });

  it('are UTF-16 where both bytes of a mark are there: one of them alone is only no UTF-8', async () => {
    const bytes = fc.constantFrom(0xff, 0xfe, 0x61, 0x0a);
    await fc.assert(
      fc.asyncProperty(bytes, bytes, fc.constantFrom('', 'a'), async (first, second, more) => {
        const text = Buffer.concat([Uint8Array.of(first, second), Buffer.from(more)]);
        const isMark = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
        const isText = first < 0x80 && second < 0x80;
        const whole = await wholeText(chunked(text, [1]), WIDE).catch((error) => error);
        const lines = await linesIn(text).catch((error) => error);
        if (isMark) {
          const refusal = { code: 'argument-invalid', message: 'file: expected UTF-8 text, found UTF-16' };
          for (const found of [whole, lines]) expect(found).toMatchObject(refusal);
        } else if (isText) expect(whole).toBe(text.toString());
        else {
          const refusal = { code: 'source-invalid', message: 'file: expected UTF-8 text, found other bytes' };
          expect(whole).toMatchObject(refusal);
          expect(lines.some((line: Line) => 'error' in line && line.error.code === 'source-invalid')).toBe(true);
        }
      }),
    );
  });

  it('together are a text, without a byte order mark, in at most so many bytes', async () => {
    await fc.assert(
      fc.asyncProperty(texts, chunks, fc.boolean(), async (text, sizes, marked) => {
        const bytes = Buffer.from(`${marked ? '\uFEFF' : ''}${text}`);
        const read = (most: number) => wholeText(chunked(bytes, sizes), { where: 'file', most });
        expect(await read(bytes.length)).toBe(text);
        if (bytes.length === 0) return;
        const refusal = `file: expected at most ${bytes.length - 1} bytes, found more`;
        await expect(read(bytes.length - 1)).rejects.toMatchObject({ code: 'argument-invalid', message: refusal });
      }),
    );
  });

  it('have bounds: bytes of one line and of all together, and lines, which are not passed by one', async () => {
    const limits = { where: 'file', most: 12, longest: 5, lines: 3 };
    const lines = await linesIn(Buffer.from('12345\n12345\n'), [3], limits);
    expect(lines).toHaveLength(2);
    await expect(linesIn(Buffer.from('1\n123456\n'), [3], limits)).rejects.toThrow(/line 2: expected at most 5 bytes/);
    expect(await linesIn(Buffer.from('1\n2\n3\n'), [3], limits)).toHaveLength(3);
    await expect(linesIn(Buffer.from('\n\n\n\n'), [3], limits)).rejects.toThrow(/^file: expected at most 3 lines/);
    await expect(linesIn(Buffer.from('1234\n1234\n123'), [3], limits)).rejects.toThrow(
      /^file: expected at most 12 bytes/,
    );
  });
});

describe('a file that was named', () => {
  beforeAll(() => {
    writeFileSync(place('text'), 'abc');
    mkdirSync(place('folder'));
    symlinkSync(place('text'), place('link'));
    execFileSync('mkfifo', [place('fifo')]);
  });

  it('is read when it is a regular file or a link to one', async () => {
    for (const name of ['text', 'link']) {
      const lines: Line[] = [];
      for await (const line of linesOf(await openFile(place(name), never), WIDE)) lines.push(line);
      expect(lines).toEqual([{ number: 1, text: 'abc' }]);
    }
  });

  it.each([
    ['folder', /found a directory$/, 'io-failed'],
    ['fifo', /found a named pipe \(its text can come on standard input\)$/, 'io-failed'],
    ['/dev/zero', /found a device$/, 'io-failed'],
    ['nothing', /found ENOENT$/, 'not-found'],
    ['text/below', /found ENOTDIR$/, 'io-failed'],
  ])('%s is refused before a byte of it is read', async (name, message, code) => {
    const path = name.startsWith('/') ? name : place(name);
    const error = await openFile(path, never).catch((refused) => refused);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('is refused for writing when it is a FIFO or a directory, or its folder is not there', async () => {
    for (const name of ['fifo', 'folder', 'none/file']) {
      await expect(checkWritable(place(name))).rejects.toMatchObject({ code: 'io-failed' });
    }
    for (const path of [place('text'), place('new'), '/dev/null']) await checkWritable(path);
  });

  it('is written whole, and nothing is left beside it; an error leaves the old content', async () => {
    await writeText(place('text'), 'new content');
    expect(readFileSync(place('text'), 'utf8')).toBe('new content');
    await writeText('/dev/null', 'nothing');
    await expect(writeText(place('folder'), 'x')).rejects.toMatchObject({ code: 'io-failed' });
    expect(readdirSync(scratch).filter((name) => name.includes('.part'))).toEqual([]);
  });
});
