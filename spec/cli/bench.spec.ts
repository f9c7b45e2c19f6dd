import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUNDLED, expectOneLine } from './command';
import { inside, records } from './inside';

const scratch = mkdtempSync(join(tmpdir(), 'tandem-bench-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('tandem bench', () => {
  test('measures kernels beside the limits of the machine, and draws the roofline', async () => {
    const svg = join(scratch, 'roofline.svg');
    const which = ['--kernels', 'matmul,norm', '--types', 'f32', '--rows', '1,2', '--threads', '1'];
    const begun = performance.now();
    const [report] = await records(['bench', '--only', 'kernels', ...which, '--svg', svg]);
    const elapsed = 1000 * (performance.now() - begun);
    const { limits, kernels } = report.kernels;
    expect(report.decode).toBeNull();
    expect(report.kernels.label).toMatch(/^wasm (scalar|simd|relaxed-simd)( wide)? ×1$/);
    expect(limits.streamGBs).toBeGreaterThan(0);
    expect(limits.peakGFlops).toBeGreaterThan(0);
    expect(kernels.map(({ name }: { name: string }) => name)).toEqual(['matmul', 'norm']);
    const figures = kernels.flatMap((kernel: { figures: unknown[] }) => kernel.figures);
    expect(figures.map(({ rows }: { rows: number }) => rows)).toEqual([1, 2, 1, 2]);
    for (const { microseconds, operations, bytes, gigaflops, gigabytesPerSecond, shareOfLimit } of figures) {
      expect(gigaflops).toBeCloseTo(operations / microseconds / 1e3, 6);
      expect(gigabytesPerSecond).toBeCloseTo(bytes / microseconds / 1e3, 6);
      const roof = Math.min(limits.peakGFlops, (limits.streamGBs * operations) / bytes);
      expect(shareOfLimit).toBeCloseTo(gigaflops / roof, 6);
    }
    // At least half of the five samples of each took the median or longer, one after the other.
    const medians = figures.map(({ microseconds }: { microseconds: number }) => microseconds);
    for (const median of medians) expect(median).toBeGreaterThan(0);
    expect(medians.reduce((sum: number, median: number) => sum + 3 * median, 0)).toBeLessThan(elapsed);
    const picture = readFileSync(svg, 'utf8');
    expect(picture).toMatch(/<svg[\s\S]*<polyline[\s\S]*<\/svg>/);
    expect(picture.match(/<title>wasm [^<]*, (matmul|norm), /g)).toHaveLength(4);
  });

  test('decodes with and without the draft: equal texts, α, c and v, as a page', async () => {
    const run = await inside([
      'bench',
      '--only',
      'decode',
      '--text',
      'Jesus wept, and the land had rest.',
      '-n',
      '8',
      '-g',
      '3',
    ]);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(run.stdout).toMatch(/modernize-target with .*: 1 texts, \d+ tokens, greedy\n/);
    expect(run.stdout).toMatch(
      /without a draft +[\d.]+ tokens\/s\nwith the draft +[\d.]+ tokens\/s, [\d.]+×; texts equal\n/,
    );
    expect(run.stdout).toMatch(/α, c, v +[01]\.\d{3}, \d\.\d{3}, \d+\.\d\d; \d\.\d\d tokens a target call\n/);
  });

  test('measures one speed where nothing drafts', async () => {
    const [{ decode }] = await records([
      'bench',
      '--only',
      'decode',
      '--draft',
      'none',
      '--text',
      'Jesus wept.',
      '-n',
      '3',
    ]);
    expect(decode).toMatchObject({ speculative: null, speedup: null, texts: 1 });
    expect(decode.plain).toBeGreaterThan(0);
  });

  test.each([
    [['--kernels', 'magic'], 2, /--kernels: expected some of matmul, .*, found 'magic'/],
    [['--only', 'decode', '--svg', 'x.svg'], 2, /expected no --svg beside --only decode, found both/],
    [['--only', 'kernels', '--model', BUNDLED.target], 2, /expected no --model beside --only kernels, found both/],
    [['--model', BUNDLED.target], 2, /bench: expected --text beside --model, found none/],
    [['--backend', 'gpu'], 2, /expected --only decode beside --backend gpu/],
    [['--svg', '/no/such/place/x.svg'], 1, /expected a file that can be written/],
    [['--rows', '0'], 2, /--rows: expected whole numbers from 1 to 128, found '0'/],
  ])('refuses %j', async (args, status, message) => {
    const run = await inside(['bench', ...args]);
    expect(run).toMatchObject({ status, stdout: '' });
    expectOneLine(run, message);
  });
});
