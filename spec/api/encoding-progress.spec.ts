import { type GenerateOptions, Tandem } from '../../api';

describe('onEncoding', () => {
  let tandem: Tandem;
  beforeAll(async () => {
    tandem = await Tandem.load(undefined, { threads: 1 });
  });
  afterAll(() => tandem.dispose());

  it.each<[string, string | string[], GenerateOptions, number]>([
    ['one text', 'Whither goest thou?', {}, 1],
    ['samples of one text', 'Whither goest thou?', { temperature: 1, numReturnSequences: 3 }, 1],
    ['texts that are encoded together', ['Whither goest thou?', 'And he said'], {}, 1],
    ['texts one after the other', ['Whither goest thou?', 'And he said'], { concurrency: 1 }, 2],
    ['beams', 'Whither goest thou?', { numBeams: 2 }, 1],
    ['no draft', 'Whither goest thou?', { speculative: false }, 1],
  ])('is told of all of each call of the encoder: %s', async (_, input, options, calls) => {
    const target = tandem.core?.target;
    const layers = target?.config.encoderLayers ?? 0;
    const inputs = [input].flat();
    const told: { done: number; total: number }[] = [];
    await tandem.generate(inputs, { maxNewTokens: 3, ...options, onEncoding: (found) => told.push(found) });
    const ends = told.filter(({ done, total }) => done === total);
    expect(ends.length).toBe(calls);
    const lengths = await Promise.all(inputs.map((one) => tandem.encode(one)));
    const rows = lengths.reduce((sum, ids) => sum + ids.length, 0);
    expect(ends.reduce((sum, { total }) => sum + total, 0)).toBe(rows * layers);
    expect(told.length).toBe(calls * layers); // short sources are one part of each block
  });

  it('is refused where nothing would call it', async () => {
    const onEncoding = () => undefined;
    const compared = tandem.compare('abc', { onEncoding } as never);
    await expect(compared).rejects.toMatchObject({ code: 'option-invalid', message: /onEncoding/ });
    const wrong = tandem.generate('abc', { onEncoding: 5 as never });
    await expect(wrong).rejects.toMatchObject({
      code: 'option-invalid',
      message: 'onEncoding: expected a function, found 5',
    });
  });
});
