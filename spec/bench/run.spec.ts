import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');

function bench(...argv: string[]): { status: number | null; output: string } {
  const tsNode = require.resolve('ts-node/dist/bin.js');
  const run = spawnSync(process.execPath, [tsNode, 'bench/run.ts', ...argv], { cwd: ROOT, encoding: 'utf8' });
  return { status: run.status, output: run.stdout + run.stderr };
}

describe('npm run bench', () => {
  test('measures what it is asked for, prints figures and limits, saves JSON and an SVG', () => {
    const { status, output } = bench('norm', '--backend', 'cpu', '--quick');
    expect(output).toMatch(/limits of cpu: [\d.]+ GB\/s, [\d.]+ GFLOP\/s/);
    expect(output).toMatch(/2 cases measured/);
    expect(status).toBe(0);
    const saved = JSON.parse(readFileSync(join(ROOT, 'build/bench/norm.json'), 'utf8'));
    expect(saved.figures.map(({ rows }: { rows: number }) => rows)).toEqual([1, 8]);
    for (const figure of saved.figures) {
      const seconds = figure.microseconds / 1e6;
      expect(figure.gigaflops).toBeCloseTo(figure.operations / seconds / 1e9, 6);
      expect(figure.gigabytesPerSecond).toBeCloseTo(figure.bytes / seconds / 1e9, 6);
    }
    expect(readFileSync(join(ROOT, 'build/bench/norm.svg'), 'utf8')).toMatch(/<svg[\s\S]*<circle[\s\S]*<\/svg>/);
  });

  test('an unknown kernel, type or backend fails and says what there is', () => {
    for (const argv of [['nomatmul'], ['norm', '--dtype', 'f8'], ['norm', '--backend', 'cuda']]) {
      const { status, output } = bench(...argv);
      expect(status).not.toBe(0);
      expect(output).toMatch(/expected some of/);
    }
  });

  test('decode: what k rows cost, the kernels of a call, and how many units the relu leaves in the decoder', () => {
    const { status, output } = bench('decode', '--rounds', '1', '--rows', '1,2', '--threads', '1', '--backend', 'wasm');
    const [, ...shares] =
      /^active feed-forward units: ([\d.]+) % \(least ([\d.]+), most ([\d.]+) by layer\)$/m.exec(output) ?? [];
    const [mean, least, most] = shares.map(Number);
    expect([least > 0, least < mean, mean < most, most < 100]).toEqual([true, true, true, true]);
    expect(output).toMatch(/^ +1 +[\d.]+ +1\.00 +\d+$/m);
    expect(output.match(/^ *activation +6 /gm)).toHaveLength(2); // one in each of six layers
    expect(output).toMatch(/9 cases measured/);
    expect(status).toBe(0);
  });

  test('the encoder of long sources: speed, share of the arithmetic, the longest wait and memory; or when a cancel was heard', () => {
    const model = ['encoder', '--model', 'models/modernize-draft', '--lengths', '64,3000', '--threads', '1'];
    const { status, output } = bench(...model, '--decode');
    expect(output).toMatch(/^64 ids: [\d.]+ s; event loop waited at most \d+ ms; most resident \d+ MB$/m);
    expect(output).toMatch(/2 cases measured/);
    expect(status).toBe(0);
    const speed = bench(...model).output;
    expect(speed).toMatch(/^3000 ids: [\d.]+ s, \d+ ids\/s, \d+ GOP\/s \(\d+ %\); event loop waited/m);
    const cancelled = bench(...model, '--lengths', '30000', '--cancel-after', '1');
    expect(cancelled.output).toMatch(/^30000 ids: cancelled after 1 ms, heard after \d+ ms; event loop waited/m);
  });

  test('never-slower measures the target as its own draft beside types other than its own, and says where nothing is left', () => {
    const short = [
      '--threads',
      '1',
      '--temperatures',
      '0',
      '--passages',
      '1',
      '--tokens',
      '4',
      '--rounds',
      '1',
      '--most-rounds',
      '2',
    ];
    const { status, output } = bench('never-slower', '--drafts', 'self', '--dtypes', 'f32,q8', ...short);
    expect(output).toMatch(/^ +self +f32 +1 +0 .* 2 +[\d.]+× +[\d.]+–[\d.]+ +±[\d.]+ %$/m); // two rounds are too few for an interval, and no more are allowed
    expect(output).toMatch(/^never-slower: 1 of 1: self f32 1 0 \(/m);
    expect(output).toMatch(/^at 0\.97 or above: [01] of 1 cells$/m);
    expect(output).toMatch(/^wider than ±1\.5 % in at most 2 rounds: 1: self f32 1 0 \(±[\d.]+ %\)$/m);
    expect([status, output.includes('q8'), /1 cases measured/.test(output)]).toEqual([0, false, true]);
    const none = bench('never-slower', '--drafts', 'self,self:q8', '--dtypes', 'q8', ...short);
    expect(none.output).toMatch(/expected a draft that is not the target itself, found self,self:q8/);
    expect(none.status).not.toBe(0);
    const wrong = bench('never-slower', '--precision', '2');
    expect(wrong.output).toBe('never-slower: --precision: expected a number above 0 and below 1, found 2\n');
    expect(wrong.status).not.toBe(0);
  });

  test('samples at once and one after the other have the same ids, and both speeds are printed', () => {
    const { status, output } = bench('samples', '--samples', '2,3', '--tokens', '2', '--turns', '1', '--gamma', '2');
    expect(output).toMatch(/^ +2 +[\d.]+ tokens\/s +[\d.]+ tokens\/s +[\d.]+×$/m);
    expect(output).toMatch(/2 cases measured/);
    expect(status).toBe(0);
  });

  test('the headline grows the pair to shapes, decodes with a draft and with itself, and prints the machine and absolute speeds', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-headline-'));
    try {
      const shapes = ['--shapes', '384,12,32,1600,5,6', '--draft', '64,4,16,256,2,1,self', '--folder', folder];
      const short = ['--gammas', '2', '--passages', '1', '--tokens', '6', '--threads', '1'];
      const { status, output } = bench('headline', ...shapes, ...short);
      expect(output).toMatch(/^processor +\S.*, \d+ cores, \d+ GiB of memory; /m);
      expect(output).toMatch(/^runtime +Node \d+\.\d+.*, flags: /m);
      expect(output).toMatch(
        /^target .*: 2\d M parameters as f32, its decoder also as q8; 0\.\d+ GB of weights, loaded in /m,
      );
      for (const temperature of [0, 1]) {
        for (const draft of ['64,4,16,256,2,1 q8', 'self q8']) {
          expect(output).toMatch(
            new RegExp(`^ +${draft} +${temperature} +2 +[01]\\.\\d{3} .* [\\d.]+ +[\\d.]+ +[\\d.]+×$`, 'm'),
          );
        }
      }
      expect(output).toMatch(/EnDe +0 +7 +0\.75 +0\.02 +3\.4×/);
      expect(output).toMatch(/4 cases measured/);
      expect(status).toBe(0);
      expect(readdirSync(folder)).toHaveLength(2);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('the headline takes a target in q4, which is grown as such', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-headline-'));
    try {
      const shapes = ['--shapes', '384,12,32,1600,5,6', '--dtype', 'q4', '--draft', 'copy', '--folder', folder];
      const short = ['--gammas', '2', '--temperatures', '0', '--passages', '1', '--tokens', '6', '--threads', '1'];
      const { status, output } = bench('headline', ...shapes, ...short);
      expect(output).toMatch(/^target .*: 2\d M parameters as q4; 0\.0\d GB of weights, loaded in /m);
      expect(status).toBe(0);
      expect(readdirSync(folder)).toEqual(['modernize-target-384-12-32-1600-5-6-q4']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('quality: kinds of matrices in a type beside float32, and the copy that drafts; the vocabulary in q4 is the worst of them', () => {
    const { status, output } = bench('quality', '--types', 'q4', '--passages', '1', '--tokens', '12');
    const figures = [...output.matchAll(/^ +(\S.*\S) +q4 +(\d\.\d{5}) +([01]\.\d{4}) +([01]\.\d{4})$/gm)];
    const kinds = [
      'self-attention',
      'cross-attention (queries, output)',
      'feed-forward',
      'vocabulary',
      'all of these',
      'self',
    ];
    expect(figures.map(([, name]) => name)).toEqual(kinds);
    const divergences = figures.map(([, , divergence]) => Number(divergence));
    expect(Math.min(...divergences)).toBeGreaterThan(0);
    expect(divergences[3]).toBeGreaterThan(2 * divergences[5]);
    expect(output).toMatch(/6 cases measured/);
    expect(status).toBe(0);
  });

  test('the package script is the same command', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(scripts.bench).toBe('ts-node bench/run.ts');
  });
});
