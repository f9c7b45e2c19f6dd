/** What a directory has when writing a checkpoint into it fails at any of its files. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { writeCheckpoint } from '../../cli/checkpoint-directory';

const scratch = mkdtempSync(join(tmpdir(), 'tandem-checkpoint-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const { signal } = new AbortController();

const MAIN = ['model.safetensors', 'model.safetensors.index.json'];
const OTHERS = ['config.json', 'spiece.model', 'model-00001-of-00002.safetensors', 'inner/notes.json'];
const names = fc.shuffledSubarray([...MAIN, ...OTHERS], { minLength: 1 });

const file = (name: string) => ({
  name,
  async *chunks() {
    yield Buffer.from('new ');
    yield Buffer.from(name);
  },
});
let count = 0;
const place = () => join(scratch, String(count++));
const filesIn = (folder: string) => readdirSync(folder, { recursive: true }).map((name) => String(name));

describe('files of a checkpoint', () => {
  it('are all there with their bytes, and nothing beside them', async () => {
    await fc.assert(
      fc.asyncProperty(names, async (list) => {
        const out = place();
        const bytes = await writeCheckpoint(out, list.map(file), signal);
        expect(bytes).toBe(list.join('').length + 4 * list.length);
        for (const name of list) expect(readFileSync(join(out, name), 'utf8')).toBe(`new ${name}`);
        const folders = list.some((name) => name.startsWith('inner/')) ? ['inner'] : [];
        expect(filesIn(out).sort()).toEqual([...list, ...folders].sort());
      }),
      { numRuns: 20 },
    );
  });

  it('leave no checkpoint, old or new, where one of the other files cannot come to its place', async () => {
    await fc.assert(
      fc.asyncProperty(names, fc.constantFrom(...OTHERS), async (list, blocked) => {
        fc.pre(list.includes(blocked));
        const out = place();
        mkdirSync(join(out, blocked), { recursive: true }); // a directory, which no file replaces
        for (const name of MAIN) writeFileSync(join(out, name), 'old');
        const refusal = writeCheckpoint(out, list.map(file), signal);
        await expect(refusal).rejects.toMatchObject({ code: 'io-failed', message: expect.stringContaining(out) });
        for (const name of MAIN) {
          const found = existsSync(join(out, name)) ? readFileSync(join(out, name), 'utf8') : null;
          expect(found).toBe(list.includes(name) ? null : 'old');
        }
        expect(filesIn(out).filter((name) => name.endsWith('.part'))).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('leave nothing where making one of them fails, and what it fails with is handed on', async () => {
    const failing = {
      name: 'model.safetensors',
      // biome-ignore lint/correctness/useYield: it fails before its first bytes
      async *chunks(): AsyncGenerator<Uint8Array, void, void> {
        throw new Error('no weights');
      },
    };
    const out = place();
    await expect(writeCheckpoint(out, [file('config.json'), failing], signal)).rejects.toThrow('no weights');
    expect(existsSync(out)).toBe(false);
    mkdirSync(out);
    await expect(writeCheckpoint(out, [file('config.json')], AbortSignal.abort(new Error('stop')))).rejects.toThrow(
      'stop',
    );
    expect(filesIn(out)).toEqual([]);
  });
});
