import { Tandem } from '../../api';

/** More than the parts in which a text is encoded hold. */
const LONG = 'And he said unto them, Whither goest thou? '.repeat(3000);

describe('a long text', () => {
  let tandem: Tandem;
  beforeAll(async () => {
    tandem = await Tandem.load(undefined, { threads: 1 });
  });
  afterAll(() => tandem.dispose());
  afterEach(() => jest.restoreAllMocks());

  const parts = () => {
    const { tokenizer, target } = tandem.core as NonNullable<Tandem['core']>;
    if (!tokenizer?.encodeInParts) throw new Error('expected a tokenizer');
    return { tokenizer, target };
  };

  it('becomes the ids that it has at once, and the event loop turns meanwhile', async () => {
    const { tokenizer } = parts();
    let [turns, isDone] = [0, false];
    const turn = () => {
      turns++;
      if (!isDone) setImmediate(turn);
    };
    setImmediate(turn);
    // Every look at the clock counts as 20 ms, so that each part is long enough for a turn.
    let clock = performance.now();
    jest.spyOn(performance, 'now').mockImplementation(() => (clock += 20));
    const ids = await tandem.encode(LONG);
    isDone = true;
    expect(ids).toEqual(tokenizer.encode(tandem.prefix + LONG));
    expect(turns).toBeGreaterThan(10);
  });

  it('hears an abort while it becomes ids, before the model sees any', async () => {
    const { target } = parts();
    const encode = jest.spyOn(target, 'encode');
    const calls: readonly ((signal: AbortSignal) => Promise<unknown>)[] = [
      (signal) => tandem.generate(LONG, { signal }),
      (signal) => tandem.generate(['x', LONG], { signal }),
      (signal) => tandem.generate(LONG, { signal, numBeams: 2 }),
      (signal) => tandem.score(LONG, ['x'], { signal }),
      (signal) => tandem.score('x', ['y', LONG], { signal }),
      (signal) => tandem.embed(LONG, { signal }),
      (signal) => tandem.measureCosts(LONG, { signal }),
    ];
    let clock = performance.now();
    jest.spyOn(performance, 'now').mockImplementation(() => (clock += 20));
    for (const call of calls) {
      const controller = new AbortController();
      const called = call(controller.signal);
      setImmediate(() => controller.abort());
      await expect(called).rejects.toMatchObject({ code: 'aborted' });
    }
    expect(encode).not.toHaveBeenCalled();
  });

  it('is cut as its ids are, and special tokens in it are read or not, as it is told', async () => {
    const { tokenizer } = parts();
    const options = { truncate: 9, maxNewTokens: 3 };
    const [text] = await tandem.generate([LONG], options);
    const [ids] = await tandem.generate([tokenizer.encode(tandem.prefix + LONG)], options);
    expect([text.ids, text.text]).toEqual([ids.ids, ids.text]);
    for (const parseSpecial of [true, false]) {
      const special = `<unk>${LONG}`;
      expect(await tandem.encode(special, { parseSpecial })).toEqual(
        tokenizer.encode(tandem.prefix + special, { parseSpecial }),
      );
    }
  });

  it('of spaces alone is refused as a short one is, and costs the other inputs nothing', async () => {
    await using plain = await Tandem.load(undefined, { threads: 1, prefix: '' });
    const spaces = ' '.repeat(70_000);
    for (const call of [plain.generate(spaces), plain.encode(spaces)]) {
      await expect(call).rejects.toMatchObject({ code: 'source-invalid' });
    }
    const [good, empty] = await plain.generate(['Jesus wept.', spaces], { maxNewTokens: 2 });
    expect([good.error, empty.error]).toMatchObject([undefined, { code: 'source-invalid' }]);
  });
});
