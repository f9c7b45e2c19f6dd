/** What is decoded, by what the command line and standard input have. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { type InputFlags, readInputs, textInputs } from '../../../cli/generate/inputs';

const folder = mkdtempSync(join(tmpdir(), 'tandem-inputs-'));
const FILE = join(folder, 'file');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const usual = Object.getOwnPropertyDescriptor(process, 'stdin') as PropertyDescriptor;
afterEach(() => Object.defineProperty(process, 'stdin', usual));

/** Reads inputs where standard input has some text, or is a terminal that somebody types it on. */
function read(words: readonly string[], flags: InputFlags = {}, typed = 'one\n\ntwo\n', isTTY = false) {
  const value = Object.assign(Readable.from([Buffer.from(typed)]), { isTTY });
  Object.defineProperty(process, 'stdin', { value, configurable: true });
  return readInputs(words, flags, new AbortController().signal);
}

const input = (index: number, line: number, source: string | readonly number[]) => {
  return { kind: 'input', index, line, source };
};
const LINES = [input(0, 1, 'one'), { kind: 'blank', line: 2 }, input(1, 3, 'two')];

describe('the words of the command', () => {
  it('are one text with spaces between them; a dash alone, or nothing, is standard input, line by line', async () => {
    const word = fc.oneof(fc.constantFrom('-', 'Amen.', ' '), fc.string());
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 3 }), async (words) => {
        const text = words.join(' ');
        const found = await read(words).catch((error) => error);
        if (words.length === 0 || text === '-') expect(found).toEqual(LINES);
        else if (text.trim() === '') expect(found.message).toBe('TEXT: expected text, found none');
        else expect(found).toEqual([input(0, 1, text)]);
      }),
    );
  });

  it('are asked for where standard input is a terminal; a dash reads what is typed there', async () => {
    await expect(read([], {}, 'typed', true)).rejects.toMatchObject({
      code: 'argument-invalid',
      message: expect.stringMatching(
        /^expected TEXT, --file, --document, --ids, or text on standard input, found none/,
      ),
    });
    expect(await read(['-'], {}, 'typed', true)).toEqual([input(0, 1, 'typed')]);
  });

  it('stand alone: of two sources of input, the words, --file, --document and --ids, both are named', async () => {
    const sources = { TEXT: {}, '--file': { file: FILE }, '--document': { document: FILE }, '--ids': { ids: [1] } };
    const names = Object.keys(sources) as (keyof typeof sources)[];
    await fc.assert(
      fc.asyncProperty(fc.subarray(names, { minLength: 2 }), async (given) => {
        const flags = Object.assign({}, ...given.map((name) => sources[name]));
        await expect(read(given.includes('TEXT') ? ['a'] : [], flags)).rejects.toMatchObject({
          ...{ code: 'argument-invalid', message: `expected one source of input, found ${given.join(' and ')}` },
        });
      }),
    );
  });
});

describe('other inputs', () => {
  it('are the lines of a file, a whole document, or ids', async () => {
    writeFileSync(FILE, 'one\n\ntwo\n');
    expect(await read([], { file: FILE }, 'x')).toEqual(LINES);
    for (const document of [FILE, '-']) expect(await read([], { document })).toEqual([input(0, 1, 'one\n\ntwo\n')]);
    expect(await read([], { ids: [5, 1] }, 'x')).toEqual([input(0, 1, [5, 1])]);
    expect(textInputs(['a', 'b'])).toEqual([input(0, 1, 'a'), input(1, 2, 'b')]);
  });

  it('are lines that are counted where they are not blank, whether they are text or not', async () => {
    writeFileSync(FILE, Buffer.concat([Buffer.from(' \na\n'), Uint8Array.of(0xff), Buffer.from('\n\t\nb')]));
    expect(await read([], { file: FILE })).toEqual([
      ...[{ kind: 'blank', line: 1 }, input(0, 2, 'a')],
      { kind: 'broken', index: 1, line: 3, error: expect.objectContaining({ code: 'source-invalid' }) },
      ...[{ kind: 'blank', line: 4 }, input(2, 5, 'b')],
    ]);
    for (const [flags, text] of [
      [{ file: FILE }, '\n \n'],
      [{ file: FILE }, ''],
      [{ document: FILE }, '\n \n'],
    ] as const) {
      writeFileSync(FILE, text);
      const expected = 'document' in flags ? 'text' : 'at least one line of text';
      const message = `${FILE}: expected ${expected}, found none`;
      await expect(read([], flags)).rejects.toMatchObject({ code: 'argument-invalid', message });
    }
  });
});
