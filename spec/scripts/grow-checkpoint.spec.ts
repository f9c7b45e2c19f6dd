import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { loadModel, quantizeCheckpoint } from '../../engine';
import { type Backend, createBackend, type Dtype } from '../../kernels';
import { grownCheckpoint } from '../../scripts/grow/grown';
import { repeated, rowNoise, splitRow } from '../../scripts/grow/rows';
import { parseShape } from '../../scripts/grow/shape';
import { growCheckpoint, runGrow } from '../../scripts/grow-checkpoint';
import { type Checkpoint, openCheckpoint, type T5Config } from '../../weights';
import { HEAD_NAME } from '../../weights/tensors';
import { chain, greedyTokens } from '../support/greedy';
import { memoryCheckpoint, randomCheckpoint, randomTensors, tinyConfig } from '../support/random-checkpoint';

const ROOT = path.join(__dirname, '..', '..');
const DRAFT = path.join(ROOT, 'models', 'modernize-draft');
/** The bundled draft's sizes are 64,4,16,256,2,1 and a vocabulary of 4,096: not one of these is a whole multiple of its own. */
const MEDIUM = '200,9,40,600,3,2,5000';

/** Logits of a chain of decoder rows, [rows][vocabulary]. */
async function logitsOf(backend: Backend, checkpoint: Checkpoint, dtype?: Dtype): Promise<Float32Array[]> {
  using model = await loadModel(checkpoint, backend, { dtype });
  const [encoded] = await model.encode([[3, 17, 5, 9, 30, 1]]);
  const stream = encoded.open();
  using view = await model.forward(chain(stream, [0, 9, 2, 35, 7]));
  const rows: Float32Array[] = [];
  for (let row = 0; row < 5; row++) rows.push((await view.read(row)).slice());
  return rows;
}

async function bytesOf(checkpoint: Checkpoint): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of checkpoint.tensors.keys()) found[name] = Buffer.from(await checkpoint.read(name)).toString('hex');
  return found;
}

let backend: Backend;
beforeAll(async () => {
  backend = await createBackend('wasm', { threads: 1 });
});
afterAll(() => backend.dispose());

describe('a grown checkpoint', () => {
  const FAMILIES: readonly (readonly [string, Partial<T5Config>, boolean])[] = [
    ['T5 v1.0', {}, false],
    ['a head that does not scale', { scaleHead: false }, false],
    [
      'T5 v1.1, gated, with a head of its own',
      { feedForward: { kind: 'gelu_new', gated: true }, scaleHead: false, tiesHead: false },
      true,
    ],
    ['umT5, with a bias in every block', { family: 'umt5', biasInEveryBlock: true }, true],
  ];

  it.each(FAMILIES)(
    'of %s has the logits of its source within 1e-4 of the largest, whatever the shape',
    async (_, changes, untied) => {
      const source = randomCheckpoint(tinyConfig(changes), 5, untied);
      const expected = await logitsOf(backend, source);
      const scale = Math.max(...expected.map((row) => Math.max(...row.map(Math.abs))));
      const shapes = [
        '16,2,6,20,2,3',
        '40,2,6,20,2,3',
        '16,5,6,20,2,3',
        '16,2,13,20,2,3',
        '16,2,6,50,2,3',
        '16,2,6,20,5,4',
        '70,9,27,100,6,7,64',
      ];
      for (const shape of shapes) {
        const grown = grownCheckpoint(source, parseShape(shape, source.config), 1);
        const found = await logitsOf(backend, grown);
        let worst = 0;
        for (const [i, row] of expected.entries()) {
          for (const [token, logit] of row.entries()) worst = Math.max(worst, Math.abs(found[i][token] - logit));
          for (const padded of found[i].subarray(37)) worst = Math.max(worst, Math.abs(padded - row[2]));
        }
        expect({ shape, isClose: worst < 1e-4 * scale, worst }).toMatchObject({ shape, isClose: true });
        expect(found[0]).toHaveLength(grown.config.vocabularySize);
      }
    },
  );

  it('has the same values for the same seed, in whatever parts it is read, and others for another seed', async () => {
    const source = randomCheckpoint(tinyConfig(), 5);
    const grow = (seed: number) => grownCheckpoint(source, parseShape('40,5,13,50,3,4', source.config), seed);
    const [first, again, other] = await Promise.all([grow(1), grow(1), grow(2)].map(bytesOf));
    expect(again).toEqual(first);
    const changed = Object.keys(first).filter((name) => other[name] !== first[name]);
    expect(changed).toContain('decoder.block.2.layer.0.SelfAttention.q.weight');
    expect(changed.filter((name) => /norm|shared|bias/.test(name))).toEqual([]);
    const name = 'decoder.block.0.layer.2.DenseReluDense.wo.weight'; // [40, 50]
    const parts = [await grow(1).read(name, 0, 1000), await grow(1).read(name, 1000)].map((part) => Buffer.from(part));
    expect(Buffer.concat(parts).toString('hex')).toBe(first[name]);
  });

  it('gives no two copies of an input the same weight', async () => {
    const source = randomCheckpoint(tinyConfig(), 5);
    const grown = grownCheckpoint(source, parseShape('48,6,12,60,2,3', source.config), 1);
    const bytes = await grown.read('encoder.block.1.layer.1.DenseReluDense.wi.weight');
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    expect(values).toHaveLength(60 * 48);
    let equal = 0;
    for (let i = 0; i < values.length; i += 48) {
      for (let input = i; input < i + 16; input++) {
        const copies = [values[input], values[input + 16], values[input + 32]];
        if (new Set(copies).size < 3) equal++;
      }
    }
    expect(equal).toBe(0);
  });
});

describe('splitRow', () => {
  it('gives weights that sum to the original, and exactly the original where there is one copy', () => {
    const rows = fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 99 }), (values, more, seed) => {
        const row = Float32Array.from(values);
        const axis = repeated(row.length, row.length + more);
        const out = new Float32Array(row.length + more).fill(Number.NaN);
        splitRow(out, { row, axis, spread: 3, factor: 1 }, rowNoise(seed, 7, 1));
        const sums = new Float64Array(row.length);
        for (const [place, origin] of axis.origins.entries()) {
          if (origin < 0) expect(out[place]).toBe(0);
          else sums[origin] += out[place];
        }
        for (const [i, value] of row.entries()) expect(Math.abs(sums[i] - value)).toBeLessThan(1e-5);
        if (axis.copies === 1) expect(out.subarray(0, row.length)).toEqual(row);
      }),
    );
  });

  it('adds noise of the standard deviation that it is told: half the spread, over the root of the copies', () => {
    const row = new Float32Array(4000);
    const out = new Float32Array(16000);
    splitRow(out, { row, axis: repeated(4000, 16000), spread: 2, factor: 1 }, rowNoise(3, 7, 1));
    const first = out.subarray(0, 4000);
    const mean = first.reduce((sum, value) => sum + value, 0) / 4000;
    const deviation = Math.sqrt(first.reduce((sum, value) => sum + value * value, 0) / 4000);
    expect(Math.abs(mean)).toBeLessThan(0.04); // five standard errors
    expect(deviation).toBeGreaterThan(0.47);
    expect(deviation).toBeLessThan(0.53);
  });
});

describe('growCheckpoint', () => {
  let folder: string;
  let out: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'tandem-grow-'));
    out = path.join(folder, 'medium');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Greedy ids of two passages, on a model that is loaded from a directory. */
  async function idsOf(directory: string, dtype?: Dtype): Promise<number[][]> {
    await using checkpoint = await openCheckpoint(directory);
    const { examples, prefix } = JSON.parse(readFileSync(path.join(ROOT, 'models', 'pair.json'), 'utf8'));
    const tokenizer = await checkpoint.tokenizer();
    using model = await loadModel(checkpoint, backend, { dtype });
    const encoded = await model.encode(examples.slice(0, 2).map((text: string) => tokenizer.encode(prefix + text)));
    return await greedyTokens(model, encoded, 40, 1);
  }

  it('writes the bundled draft in a larger shape, in shards, and its greedy ids are the same', async () => {
    const { parameters, bytes } = await growCheckpoint({ source: DRAFT, shape: MEDIUM, out, shardBytes: 4e6 });
    const files = readdirSync(out);
    expect(files.filter((file) => file.endsWith('.safetensors')).length).toBeGreaterThan(2);
    expect(files).toEqual(expect.arrayContaining(['model.safetensors.index.json', 'config.json', 'tokenizer.json']));
    await using checkpoint = await openCheckpoint(out);
    const { dModel, heads, dKv, dFf, encoderLayers, decoderLayers, vocabularySize } = checkpoint.config;
    expect([dModel, heads, dKv, dFf, encoderLayers, decoderLayers, vocabularySize].join(',')).toBe(MEDIUM);
    expect(parameters).toBeGreaterThan(4e6);
    expect(bytes).toBeGreaterThan(4 * parameters);
    const ids = await idsOf(out);
    expect(ids).toEqual(await idsOf(DRAFT));
    expect(ids[0].length).toBeGreaterThan(20);
  });

  it.each(['q8', 'q4', 'bf16'] as const)(
    'writes %s straight, with the bits of a float32 one that is loaded as such',
    async (dtype) => {
      const directory = path.join(folder, dtype);
      const { bytes, parameters } = await growCheckpoint({ source: DRAFT, shape: MEDIUM, out: directory, dtype });
      expect(bytes / parameters).toBeLessThan({ q8: 1.4, q4: 1, bf16: 2.3 }[dtype]); // with the tokenizer's files
      await using written = await openCheckpoint(directory);
      await using source = await openCheckpoint(DRAFT);
      const grown = grownCheckpoint(source, parseShape(MEDIUM, source.config), 1);
      expect(await logitsOf(backend, written)).toEqual(await logitsOf(backend, grown, dtype));
      expect(await idsOf(directory)).toEqual(await idsOf(out, dtype));
      const same = grownCheckpoint(written, parseShape(MEDIUM, written.config), 1); // such a checkpoint can be a source
      expect(await logitsOf(backend, same, 'f32')).toEqual(await logitsOf(backend, written, 'f32'));
    },
  );

  it('computes a shape of eleven billion parameters in pieces of at most 8 MiB', async () => {
    await using source = await openCheckpoint(DRAFT);
    const grown = grownCheckpoint(source, parseShape('xxl', source.config), 1);
    const count = [...grown.tensors.values()].reduce((sum, { bytes }) => sum + bytes / 4, 0);
    expect(count / 1e9).toBeCloseTo(11.2, 0);
    const [first] = await quantizeCheckpoint(grown, { dtype: 'q8', shardBytes: 4e9 });
    const sizes: number[] = [];
    for await (const chunk of first.chunks()) {
      sizes.push(chunk.length);
      if (sizes.length === 6) break;
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(8 << 20);
    expect(Math.min(...sizes.slice(1))).toBeGreaterThan(1 << 20);
  });

  it('refuses by name what it cannot grow or write, and leaves nothing behind', async () => {
    const taken = path.join(folder, 'taken');
    mkdirSync(taken);
    writeFileSync(path.join(taken, 'notes.txt'), 'mine');
    const place = path.join(folder, 'none');
    const grow = (changes: object) => growCheckpoint({ source: DRAFT, shape: MEDIUM, out: place, ...changes });
    await expect(grow({ shape: 'medium' })).rejects.toThrow(/shape: expected one of small, base, .* found "medium"/);
    await expect(grow({ shape: '200,9,40,600,3' })).rejects.toThrow(/shape: expected one of/);
    await expect(grow({ shape: '200,9,40,600,3,0.5' })).rejects.toThrow(/shape: expected one of/);
    await expect(grow({ shape: '200,3,40,600,3,2' })).rejects.toThrow(/with heads from 4 up, .* found 3/);
    await expect(grow({ shape: '200,9,40,600,3,2,4000' })).rejects.toThrow(/vocabularySize from 4096 up/);
    await expect(grow({ out: taken })).rejects.toThrow(/expected a new or an empty directory, found 1 files/);
    await expect(grow({ out: path.join(taken, 'notes.txt') })).rejects.toThrow(
      /expected a directory to write, found ENOTDIR/,
    );
    await expect(grow({ shape: '262144,4,16,256,2,1,4000000' })).rejects.toThrow(
      /expected room for \d+\.\d GB on the disk/,
    );
    await expect(grow({ source: taken })).rejects.toThrow(/config\.json/);
    await expect(grow({ signal: AbortSignal.abort() })).rejects.toThrow(/cancelled|aborted/);
    expect(readdirSync(folder)).not.toContain('none');
    expect(readdirSync(taken)).toEqual(['notes.txt']);
    const config = tinyConfig();
    const encoder = [...randomTensors(config, 1)].filter(([name]) => !name.startsWith('decoder') && name !== HEAD_NAME);
    const alone = memoryCheckpoint('alone', config, new Map(encoder));
    expect(() => grownCheckpoint(alone, { ...config, dModel: 32 }, 1)).toThrow(
      /alone: expected a T5 with encoder and decoder/,
    );
  });

  it.each([
    ['f32', 4],
    ['bf16', 2],
    ['q8', 1 + 4 / 32],
    ['q4', 0.5 + 2 / 32],
  ] as const)('knows the bytes of %s: %d a weight of the layers', async (dtype, bytes) => {
    const refused = growCheckpoint({
      source: DRAFT,
      shape: '262144,4,16,8000000,2,1',
      out: path.join(folder, 'none'),
      dtype,
    });
    const message = await refused.then(String, (error: Error) => error.message);
    const needed = 1e9 * Number(/expected room for ([\d.]+) GB on the disk/.exec(message)?.[1]);
    const feedForward = 6 * 262144 * 8e6; // two matrices in each of three layers; the rest is a thousandth of them
    expect(needed / feedForward / bytes).toBeCloseTo(1, 2);
  });

  it('is a command; a wrong call is refused with its usage', async () => {
    const tsNode = require.resolve('ts-node/dist/bin.js');
    const args = ['64,4,16,256,2,1', path.join(folder, 'command'), '--dtype', 'bf16', '--seed', '3'];
    const command = [tsNode, 'scripts/grow-checkpoint.ts', DRAFT, ...args];
    const { status, stdout } = spawnSync(process.execPath, command, { cwd: ROOT, encoding: 'utf8' });
    expect(stdout).toMatch(/: [\d,]+ parameters as bf16, [\d,]+ bytes\n$/);
    expect(status).toBe(0);
    const signal = new AbortController().signal;
    for (const wrong of [['base'], [DRAFT, 'base', out, '--dtype', 'q3'], [DRAFT, 'base', out, '--seed', 'x']]) {
      await expect(runGrow(wrong, signal)).rejects.toThrow(
        /expected grow-checkpoint\.ts SOURCE SHAPE OUT \[--dtype f32/,
      );
    }
  });
});
