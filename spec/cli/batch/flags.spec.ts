import { Command } from 'commander';
import fc from 'fast-check';
import { addBatchFlags } from '../../../cli/batch/flags';

/** What `--shard` is read as. */
function shardOf(text: string): unknown {
  return addBatchFlags(new Command())
    .parse([`--shard=${text}`], { from: 'user' })
    .opts().shard;
}

describe('--shard of tandem batch', () => {
  const nine = fc.oneof(fc.nat(12), fc.nat(999_999_999));

  it('is a part from 1 on and at most the number of parts, of up to nine digits each', () => {
    let [taken, refused] = [0, 0];
    fc.assert(
      fc.property(nine, nine, (part, of) => {
        const isShard = part >= 1 && part <= of;
        isShard ? taken++ : refused++;
        if (isShard) expect(shardOf(`${part}/${of}`)).toEqual({ part, of });
        else expect(() => shardOf(`${part}/${of}`)).toThrow('--shard: expected a part and the number of parts');
      }),
    );
    expect(Math.min(taken, refused)).toBeGreaterThan(10);
    expect([shardOf('1/1'), shardOf('8/8')]).toEqual([
      { part: 1, of: 1 },
      { part: 8, of: 8 },
    ]);
  });

  it.each(['', '1', '/2', '1/', 'x1/2', '1/2x', '1/2/3', '-1/2', '1.5/2', '1 /2', '1/1234567890', '0000000001/2'])(
    'is refused as %j',
    (text) => {
      expect(() => shardOf(text)).toThrow('--shard: expected a part and the number of parts');
    },
  );
});
