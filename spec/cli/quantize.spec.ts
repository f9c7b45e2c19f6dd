import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bytesProgress } from '../../cli/progress';
import { quantize } from '../../cli/quantize';
import { openCheckpoint } from '../../weights';
import { goldenCheckpoint } from '../support/golden-files.node';
import { BUNDLED } from './command';
import { inside } from './inside';

jest.mock('../../cli/progress', () => {
  const actual = jest.requireActual('../../cli/progress');
  return { ...actual, bytesProgress: jest.fn(actual.bytesProgress) };
});

const ORIGINAL = goldenCheckpoint('t5-v1.0');

describe('tandem quantize', () => {
  let folder: string;
  let out: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'tandem-quantize-'));
    out = path.join(folder, 'out');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('writes a directory that decodes as the original does with --dtype, in a third of the bytes', async () => {
    const text = 'And he said unto them, Whither goest thou?';
    const { status, stdout, stderr } = await inside(['quantize', BUNDLED.draft, '--dtype', 'q8', '--out', out]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/: q8, [\d,]+ bytes in \d+ files\n$/);
    const run = (model: string, ...more: string[]) => inside(['generate', text, '--model', model, '--json', ...more]);
    const ids = ({ stdout }: { stdout: string }) => JSON.parse(stdout).ids as number[];
    const found = await run(out);
    expect(JSON.parse(found.stdout).dtype).toBe('q8');
    expect(ids(found)).toEqual(ids(await run(BUNDLED.draft, '--dtype', 'q8')));
    expect(ids(found).length).toBeGreaterThan(3);
    const { stdout: page } = await inside(['inspect', out]);
    expect(page).toMatch(/metadata format +tandem-q8/);
    expect(page).toMatch(/shared\.weight +q8 +\[4096, 64\]/);
  }, 60_000);

  it('writes 4 bits, which decode as the original does with --dtype q4, and drafts for it', async () => {
    const text = 'And he said unto them, Whither goest thou?';
    const { status, stdout, stderr } = await inside(['quantize', BUNDLED.draft, '--dtype', 'q4', '--out', out]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/: q4, [\d,]+ bytes in \d+ files\n$/);
    const run = async (model: string, ...more: string[]) =>
      JSON.parse((await inside(['generate', text, '--model', model, '--json', ...more])).stdout);
    const found = await run(out);
    expect(found.dtype).toBe('q4');
    expect(found.ids).toEqual((await run(BUNDLED.draft, '--dtype', 'q4')).ids);
    expect(found.ids.length).toBeGreaterThan(3);
    expect((await run(BUNDLED.draft, '--draft', out)).ids).toEqual((await run(BUNDLED.draft, '--draft', 'none')).ids);
    const { stdout: page } = await inside(['inspect', out]);
    expect(page).toMatch(/metadata format +tandem-q4/);
    expect(page).toMatch(/shared\.weight +q8 +\[4096, 64\]/);
    expect(page).toMatch(/DenseReluDense\.wo\.weight +q4 +\[64, 256\]/);
    const refused = await inside(['generate', text, '--model', out, '--draft', 'self:q4']);
    expect(refused.stderr).toMatch(/expected self in another type than the target's, which is q4, found 'self:q4'/);
  }, 60_000);

  it.each([
    ['without a type', ['--out', 'x'], /expected --dtype <type>, found none/],
    ['without a place', ['--dtype', 'q8'], /expected --out <path>, found none/],
    ['with another type', ['--dtype', 'q3', '--out', 'x'], /--dtype: expected one of f32, bf16, q8, q4, found 'q3'/],
    ['over the original', ['--dtype', 'q8', '--force', '--out', ORIGINAL], /found the original/],
    ['into a file', ['--dtype', 'q8', '--out', path.join(ORIGINAL, 'config.json')], /found a file/],
    [
      'where there is no parent',
      ['--dtype', 'q8', '--out', path.join(ORIGINAL, 'none', 'x')],
      /found ENOENT for its parent/,
    ],
  ])('is refused %s', async (_, args, message) => {
    const before = readdirSync(ORIGINAL);
    const { status, stderr } = await inside(['quantize', ORIGINAL, ...args]);
    expect(status).toBeGreaterThan(0);
    expect(stderr).toMatch(message);
    expect(readdirSync(ORIGINAL)).toEqual(before);
  });

  it('writes into a directory that holds files only with --force, and leaves other files alone', async () => {
    mkdirSync(out);
    writeFileSync(path.join(out, 'model.safetensors'), 'old');
    writeFileSync(path.join(out, 'notes.txt'), 'mine');
    const args = ['quantize', ORIGINAL, '--dtype', 'bf16', '--out', out];
    expect((await inside(args)).stderr).toMatch(/expected a directory to write, found one that holds files/);
    expect(readFileSync(path.join(out, 'model.safetensors'), 'utf8')).toBe('old');
    expect(await inside([...args, '--force'])).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(path.join(out, 'notes.txt'), 'utf8')).toBe('mine');
    await (await openCheckpoint(out)).dispose();
  });

  it('leaves nothing of a run that was cancelled or that failed', async () => {
    const cancelled = await inside(['quantize', ORIGINAL, '--dtype', 'q8', '--out', out], {
      signal: AbortSignal.abort(),
    });
    expect(cancelled.status).toBe(1);
    expect(existsSync(out)).toBe(false);
    const broken = path.join(folder, 'broken');
    mkdirSync(broken);
    for (const file of readdirSync(ORIGINAL))
      writeFileSync(path.join(broken, file), readFileSync(path.join(ORIGINAL, file)));
    mkdirSync(out);
    writeFileSync(path.join(out, 'config.json'), 'old');
    mkdirSync(path.join(out, 'model.safetensors')); // which cannot be replaced by a file
    const failed = await inside(['quantize', broken, '--dtype', 'q8', '--out', out, '--force']);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toMatch(/expected to write, found E/);
    expect(readdirSync(out).filter((file) => file.endsWith('.part'))).toEqual([]);
    expect(readFileSync(path.join(out, 'config.json'), 'utf8')).toBe('old');
  });

  it('has a bar that says where it writes, unless it is to be quiet or says more in lines', async () => {
    for (const [flags, isNone] of [
      [[], false],
      [['--quiet'], true],
      [['--verbose'], true],
    ] as const) {
      jest.mocked(bytesProgress).mockClear();
      await inside(['quantize', ORIGINAL, '--dtype', 'q8', '--force', '--out', out, ...flags]);
      const bars = jest.mocked(bytesProgress).mock.calls.map(([what, none]) => [what, none === true]);
      expect([flags, bars]).toEqual([flags, [[`writing ${out}`, isNone]]]);
    }
  });

  it('takes its bar away before it says what was written, and where it fails', async () => {
    const order: string[] = [];
    const bar = { update: () => undefined, stop: () => void order.push('bar away') };
    jest.mocked(bytesProgress).mockReturnValueOnce(bar).mockReturnValueOnce(bar);
    const write = jest.spyOn(process.stdout, 'write').mockImplementation(() => order.push('said') > 0);
    const { signal } = new AbortController();
    try {
      await quantize(ORIGINAL, { dtype: 'q8', out }, signal);
      expect(order.slice(0, 2)).toEqual(['bar away', 'said']);
      order.length = 0;
      rmSync(path.join(out, 'model.safetensors'));
      mkdirSync(path.join(out, 'model.safetensors', 'inner'), { recursive: true }); // which no file replaces
      await expect(quantize(ORIGINAL, { dtype: 'q8', out, force: true }, signal)).rejects.toThrow(/expected to write/);
      expect(order).toEqual(['bar away']);
    } finally {
      write.mockRestore();
    }
  });
});
