import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildNgrams } from '../../cli/ngram';
import { NgramTable } from '../../decoding';
import { openCheckpoint } from '../../weights';

describe('ngram build with a line of a megabyte', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'tandem-ngram-'));
  const [texts, out] = ['texts.txt', 'table.json'].map((name) => join(scratch, name));
  const line = 'And he said unto them, Whither goest thou? '.repeat(9000);
  beforeAll(() => writeFileSync(texts, `${line}\n`));
  afterAll(() => rmSync(scratch, { recursive: true }));
  afterEach(() => jest.restoreAllMocks());

  /** Every look at the clock counts as 20 ms, so that each part is long enough for a turn of the event loop. */
  function slowClock(): void {
    let clock = performance.now();
    jest.spyOn(performance, 'now').mockImplementation(() => (clock += 20));
  }

  it('counts every n-gram of it, as at once', async () => {
    const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    await buildNgrams([texts], { order: 3, out }, new AbortController().signal);
    expect(write).toHaveBeenCalledTimes(1);
    const checkpoint = await openCheckpoint(join(__dirname, '../../models/modernize-target'));
    const table = new NgramTable(3, checkpoint.config.vocabularySize);
    table.learn((await checkpoint.tokenizer()).encode(line));
    await checkpoint.dispose();
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(JSON.parse(JSON.stringify(table)));
    rmSync(out);
  });

  it.each([1, 20, 34])(
    'hears a cancel after %d turns of the event loop, in its ids and in its counts',
    async (most) => {
      slowClock();
      const controller = new AbortController();
      let turns = 0;
      const turn = () => {
        if (++turns === most) controller.abort(new Error('cancelled'));
        else setImmediate(turn);
      };
      setImmediate(turn);
      await expect(buildNgrams([texts], { order: 3, out }, controller.signal)).rejects.toThrow('cancelled');
      expect(turns).toBe(most);
      expect(existsSync(out)).toBe(false);
    },
  );
});
