import { type Drafter, earlyExitDrafter, generateBatch, selfDrafter } from '../../../decoding';
import { type DecoderRow, type ForwardOptions, loadModel, type T5Model } from '../../../engine';
import { type Backend, createBackend } from '../../../kernels';
import { finish } from '../../support/exactness';
import { randomCheckpoint, tinyConfig } from '../../support/random-checkpoint';

const SOURCE = [5, 9, 2, 7, 1];
const isDraft = ({ copy, layers }: ForwardOptions) => copy === true || layers !== undefined;

/** The model, which notes the rows of each call: those of the draft and those of the target. */
function noting(model: T5Model): { model: T5Model; calls: { draft: number[]; target: number[] } } {
  const calls = { draft: [] as number[], target: [] as number[] };
  const forward = (rows: readonly DecoderRow[], options: ForwardOptions = {}) => {
    calls[isDraft(options) ? 'draft' : 'target'].push(rows.length);
    return model.forward(rows, options);
  };
  return { model: Object.create(model, { forward: { value: forward } }), calls };
}

describe('a draft that is part of its target', () => {
  let backend: Backend;
  let target: T5Model;

  beforeAll(async () => {
    backend = await createBackend('cpu');
    target = await loadModel(randomCheckpoint(tinyConfig({ decoderLayers: 3 }), 21), backend, { copy: 'q8' });
  });

  afterAll(async () => {
    target.dispose();
    await backend.dispose();
  });

  const drafters: [string, (model: T5Model) => Drafter][] = [
    ['the copy in q8', (model) => selfDrafter(model, 'self')],
    ['all layers, which are accepted whole', (model) => earlyExitDrafter(model, 3)],
    ['one layer, which is rejected often', (model) => earlyExitDrafter(model, 1)],
  ];

  it.each(drafters)(
    '%s: every call of the draft has one row, also after a round that was accepted whole',
    async (_, of) => {
      const { model, calls } = noting(target);
      const settings = { maxNewTokens: 24, minNewTokens: 24, gamma: 3 };
      const { metrics } = await finish({ target: model, drafter: of(model), source: SOURCE, settings });
      expect(metrics.proposed).toBeGreaterThan(3);
      expect(new Set(calls.draft)).toEqual(new Set([1]));
      expect(calls.target.length).toBe(metrics.targetCalls);
    },
  );

  it('sees what the target has cached: its first token is that of a draft step on the target’s own stream', async () => {
    const settings = { maxNewTokens: 12, minNewTokens: 12 };
    const { ids } = await finish({ target, source: SOURCE, settings });
    const [encoded] = await target.encode([SOURCE]);
    const stream = encoded.open();
    const rows = [target.startToken, ...ids.slice(0, -1)].map((token, position) => {
      return { stream, position, token, parent: position - 1 };
    });
    (await target.forward(rows)).dispose();
    const copied = stream.fork();
    const one = [{ stream: copied, position: rows.length, token: ids[ids.length - 1], parent: -1 }];
    const view = await target.forward(one, { copy: true });
    const [expected] = await view.argMax();
    view.dispose();

    const session = await selfDrafter(target, 'self').open(SOURCE, encoded);
    const onlyOne = (distribution: { tokens: Int32Array | null }) => {
      return { token: (distribution.tokens as Int32Array)[0], distribution } as never;
    };
    const request = { ids: [target.startToken, ...ids], targetStream: stream, gamma: 1, processing: {}, eosTokens: [] };
    const [first] = await session.propose({ ...request, draw: onlyOne, drawSeveral: () => [] });
    expect(first.draw.token).toBe(expected);
    expect(stream.length).toBe(rows.length);
    for (const held of [session, copied, stream, encoded]) held.dispose();
  });

  it('takes no more slots than what it proposes, and gives them back', async () => {
    const slots = Reflect.get(target, 'selfSlots') as { inUse: number };
    const most: number[] = [];
    const { model } = noting(target);
    const watching = Object.create(model, {
      forward: {
        value: (rows: readonly DecoderRow[], options: ForwardOptions = {}) => {
          most.push(slots.inUse);
          return model.forward(rows, options);
        },
      },
    });
    const settings = { maxNewTokens: 30, minNewTokens: 30, gamma: 3 };
    await finish({ target: watching, drafter: selfDrafter(watching, 'self'), source: SOURCE, settings });
    expect(Math.max(...most)).toBeLessThanOrEqual(30 + 2 * 3 + 1);
    expect(slots.inUse).toBe(0);
  });

  it.each(drafters)('%s: texts of a batch are those alone, greedy and coupled', async (_, of) => {
    for (const temperature of [0, 1]) {
      const settings = { temperature, seed: 3, maxNewTokens: 16, gamma: 3, verification: 'coupled' as const };
      const sources = [SOURCE, [3, 3, 8, 1]];
      const alone = await Promise.all(sources.map((source) => finish({ target, source, settings })));
      const requests = sources.map((source) => ({ source, settings }));
      const together: number[][] = sources.map(() => []);
      for await (const event of generateBatch({ target, drafter: of(target) }, requests)) {
        if (event.kind === 'token') together[event.index].push(event.token);
      }
      expect(together).toEqual(alone.map(({ ids }) => ids));
    }
  });
});
