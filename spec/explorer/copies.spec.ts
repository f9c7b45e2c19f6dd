import { copyReads } from '../../explorer/panels/attention/copies';
import { Tandem, TraceRecorder } from '../../index';
import { EXAMPLES } from './site';

describe('where the copy draft read', () => {
  test('every place has the token that was proposed for it; the kept ones are the output’s own', async () => {
    const recorder = new TraceRecorder();
    const tandem = await Tandem.load(undefined, { backend: 'wasm', threads: 1, draft: 'copy' });
    await tandem.generate(EXAMPLES[0], { maxNewTokens: 64, trace: recorder });
    await tandem.dispose();
    const { trace } = recorder;
    const source = trace.source as readonly number[];
    const reads = copyReads(trace);
    const proposed = new Map<number, { token: number; kept: boolean }>();
    for (const { position, proposal, accepted } of trace.rounds) {
      for (const [i, { token }] of proposal.entries()) {
        if (i <= accepted && position - 1 + i < trace.ids.length) {
          proposed.set(position - 1 + i, { token, kept: i < accepted });
        }
      }
    }
    expect(proposed.size).toBeGreaterThan(10);
    expect([...reads.keys()]).toEqual([...proposed.keys()]);
    for (const [at, { place, kept }] of reads) {
      expect({ token: source[place], kept }).toEqual(proposed.get(at));
      if (kept) expect(trace.ids[at]).toBe(source[place]);
    }
  });
});
