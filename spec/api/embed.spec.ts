import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tandem } from '../../api';
import { relativeError } from '../support/goldens';
import { readUses, readUsesTensors, usesPath } from '../support/uses';

type EmbeddingGolden = Readonly<Record<string, { readonly sources: readonly (readonly number[])[] }>>;

const golden = readUses<EmbeddingGolden>('embeddings');
const tensors = readUsesTensors('embeddings');
const TOLERANCE = 1e-5;

/** Row `row` of a recorded matrix. */
function rowOf(name: string, row: number): Float32Array {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`no golden ${name}`);
  const width = tensor.shape[1];
  return tensor.values.subarray(row * width, (row + 1) * width);
}

describe.each(Object.keys(golden))('%s, an encoder alone', (name) => {
  const { sources } = golden[name];
  let tandem: Tandem;
  beforeAll(async () => {
    tandem = await Tandem.load(usesPath(name), { threads: 1 });
  });
  afterAll(() => tandem.dispose());

  it("has Hugging Face's states, within 1e-5 of their scale", async () => {
    const states = await tandem.embed(sources, { pooling: 'none' });
    for (const [i, found] of states.entries()) {
      const expected = tensors.get(`${name}.states.${i}`);
      expect(found).toBeInstanceOf(Float32Array);
      expect([found.length / tandem.target.dModel, tandem.target.dModel]).toEqual(expected?.shape);
      expect(relativeError(found, expected?.values ?? [])).toBeLessThan(TOLERANCE);
    }
  });

  it("has Hugging Face's mean, and its sentence vector where the checkpoint has one", async () => {
    const means = await tandem.embed(sources, { pooling: 'mean' });
    for (const [i, mean] of means.entries()) {
      expect(relativeError(mean, rowOf(`${name}.mean`, i))).toBeLessThan(TOLERANCE);
    }
    const own = tensors.has(`${name}.sentence`) ? `${name}.sentence` : `${name}.mean`;
    for (const [i, vector] of (await tandem.embed(sources)).entries()) {
      expect(relativeError(vector, rowOf(own, i))).toBeLessThan(TOLERANCE);
    }
  });

  it('gives each input the bits that it has alone, and a vector of length 1 on request', async () => {
    const together = await tandem.embed([...sources, ...sources]);
    for (const [i, source] of sources.entries()) {
      expect(together[i]).toEqual(await tandem.embed(source));
      expect(together[i + sources.length]).toEqual(together[i]);
    }
    for (const vector of await tandem.embed(sources, { pooling: 'mean', normalize: true })) {
      expect(vector.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 5);
    }
    expect(await tandem.embed([])).toEqual([]);
  });

  it('says that it has no decoder, and refuses what needs one by name', async () => {
    expect(tandem.target.hasDecoder).toBe(false);
    const refusal = {
      code: 'tensor-missing',
      message: expect.stringMatching(/with a decoder, found an encoder alone/),
    };
    await expect(tandem.generate(sources[0])).rejects.toMatchObject(refusal);
    await expect(tandem.generate(sources[0], { numBeams: 2 })).rejects.toMatchObject(refusal);
    await expect(tandem.score(sources[0], [5, 1])).rejects.toMatchObject(refusal);
    expect((await tandem.generate([sources[0]]))[0].error).toMatchObject(refusal);
    const drafting = Tandem.load(undefined, { draft: usesPath(name), threads: 1 });
    await expect(drafting).rejects.toMatchObject({ code: expect.stringMatching(/tensor-missing|vocabulary-mismatch/) });
  });
});

describe('embedding', () => {
  let pair: Tandem;
  beforeAll(async () => {
    pair = await Tandem.load(undefined, { threads: 1 });
  });
  afterAll(() => pair.dispose());

  it('of text is that of its ids, by a model with a decoder too; without modules.json it is the mean', async () => {
    const text = 'Jesus wept.';
    const ids = await pair.encode(text);
    const [states] = await pair.embed([text], { pooling: 'none' });
    const { dModel } = pair.target;
    expect(states.length).toBe(ids.length * dModel);
    const mean = Float32Array.from({ length: dModel }, (_, at) => {
      let sum = 0;
      for (let token = 0; token < ids.length; token++) sum += states[token * dModel + at];
      return sum / ids.length;
    });
    expect(await pair.embed(text)).toEqual(mean);
    expect(await pair.embed(ids, { pooling: 'mean' })).toEqual(mean);
  });

  it.each([
    ['ids that the vocabulary does not have', [5, 99999], 'source-invalid', /found 99999/],
    ['no ids', [new Int32Array(0)], 'source-invalid', /at least one id/],
    ['an object', [{}], 'argument-invalid', /embed: input 0: expected text/],
  ])('%s are refused by name', async (_, input, code, message) => {
    await expect(pair.embed(input as never)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('hears a cancel, and a dispose ends it', async () => {
    const long = Array.from({ length: 3000 }, (_, i) => 2 + (i % 4000));
    const controller = new AbortController();
    const cancelled = pair.embed(long, { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(cancelled).rejects.toMatchObject({ code: 'aborted' });
    const other = await Tandem.load(usesPath('prot-t5'), { threads: 1 });
    const running = other.embed(Array.from({ length: 9000 }, (_, i) => 2 + (i % 100)));
    setTimeout(() => void other.dispose(), 20);
    await expect(running).rejects.toMatchObject({ code: 'disposed' });
    expect((await pair.embed('Jesus wept.')).length).toBe(pair.target.dModel);
  });
});

describe('the steps that modules.json names', () => {
  const sources = [...golden['sentence-t5'].sources];
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tandem-sentence-'));
    cpSync(usesPath('sentence-t5'), folder, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const edit = (file: string, change: (json: never) => unknown) =>
    writeFileSync(
      join(folder, file),
      JSON.stringify(change(JSON.parse(readFileSync(join(folder, file), 'utf8')) as never)),
    );

  async function embedded(): Promise<Float32Array[]> {
    const tandem = await Tandem.load(folder, { threads: 1 });
    return tandem.embed(sources).finally(() => tandem.dispose());
  }

  it('are followed in order: without the last one the vector is not of length 1, and by its own length it is', async () => {
    const whole = await embedded();
    edit('modules.json', (modules: unknown[]) => modules.slice(0, 3));
    for (const [i, vector] of (await embedded()).entries()) {
      const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
      expect(Math.abs(length - 1)).toBeGreaterThan(1e-3);
      expect(
        relativeError(
          vector.map((value) => value / length),
          whole[i],
        ),
      ).toBeLessThan(TOLERANCE);
    }
  });

  it.each([
    ['cls', 'pooling_mode_cls_token', (token: number) => token === 0],
    ['max', 'pooling_mode_max_tokens', null],
    ['mean √length', 'pooling_mode_mean_sqrt_len_tokens', null],
  ])('%s pooling', async (name, key, isIn) => {
    edit('modules.json', (modules: unknown[]) => modules.slice(0, 2));
    edit('1_Pooling/config.json', (json: object) => ({ ...json, pooling_mode_mean_tokens: false, [key]: true }));
    const { values, shape } = tensors.get('sentence-t5.states.0') as NonNullable<ReturnType<typeof tensors.get>>;
    const [tokens, width] = shape;
    const expected = Array.from({ length: width }, (_, at) => {
      const column = Array.from({ length: tokens }, (_, token) => values[token * width + at]);
      if (isIn) return column[0];
      if (name === 'max') return Math.max(...column);
      return column.reduce((sum, value) => sum + value, 0) / Math.sqrt(tokens);
    });
    expect(relativeError((await embedded())[0], expected)).toBeLessThan(TOLERANCE);
  });

  it.each([
    [
      'an unknown step',
      'modules.json',
      (all: object[]) => [...all, { type: 'x.LayerNorm', path: '4' }],
      /found LayerNorm/,
    ],
    [
      'an unknown pooling',
      '1_Pooling/config.json',
      () => ({ pooling_mode_lasttoken: true }),
      /found pooling_mode_lasttoken/,
    ],
    [
      'another shape',
      '2_Dense/config.json',
      (json: object) => ({ ...json, out_features: 5 }),
      /expected shape \[5,16\]/,
    ],
    ['a path outside', 'modules.json', () => [{ type: 'x.Pooling', path: '../x' }], /expected a list of modules/],
    ['no list', 'modules.json', () => ({}), /expected a list of modules/],
  ])(
    '%s is refused by name where it is asked for, and does not keep the model from loading',
    async (_, file, change, message) => {
      edit(file, change as never);
      const tandem = await Tandem.load(folder, { threads: 1 });
      await expect(tandem.embed(sources)).rejects.toMatchObject({ message: expect.stringMatching(message) });
      expect((await tandem.embed(sources, { pooling: 'mean' })).length).toBe(sources.length);
      await tandem.dispose();
    },
  );
});
