import {
  type GenerationEvent,
  generateBatch,
  type LogitsProcessor,
  modelDrafter,
  type SequenceRequest,
} from '../../decoding';
import { collect } from '../../decoding/events';
import { generate } from '../../decoding/generate';
import { randomTable, tableModel } from '../support/table-model';

const VOCABULARY = 8;
const table = (seed: number) =>
  tableModel({ vocabulary: VOCABULARY, logits: randomTable(VOCABULARY, seed), eosTokens: [1] });

const settings = { temperature: 1, maxNewTokens: 12, minNewTokens: 12, gamma: 3 };
const request = (seed: number, changes: object = {}): SequenceRequest => ({
  source: [3, 1],
  settings: { ...settings, seed, ...changes },
});

/** Fails at its n-th call. */
const failing = (after: number): LogitsProcessor => {
  let calls = 0;
  return () => {
    if (++calls > after) throw new Error('this processor fails');
    return undefined;
  };
};

async function ends(requests: readonly SequenceRequest[], drafter = modelDrafter(table(2))) {
  const target = table(1);
  const found = new Map<number, readonly number[] | string>();
  const events: GenerationEvent[] = [];
  for await (const event of generateBatch({ target, drafter }, requests)) {
    events.push(event);
    if (event.kind === 'done') found.set(event.index, event.result.ids);
    if (event.kind === 'failed') found.set(event.index, event.error.message);
  }
  expect(target.open()).toBe(0);
  return found;
}

const alone = async (one: SequenceRequest) =>
  (await collect(generate({ target: table(1), drafter: modelDrafter(table(2)), ...one }))).ids;

describe('a round of several runs', () => {
  it.each([0, 1, 2, 5, 9, 20])(
    'an error of one run after %i processor calls is its own; the others are as alone',
    async (after) => {
      const sound = [request(1), request(2), request(3)];
      const broken = request(4, { processors: [failing(after)] });
      const found = await ends([sound[0], broken, sound[1], sound[2]]);
      expect(found.get(1)).toBe('this processor fails');
      for (const [index, one] of [
        [0, sound[0]],
        [2, sound[1]],
        [3, sound[2]],
      ] as const) {
        expect(found.get(index)).toEqual(await alone(one));
      }
    },
  );

  it('an error of the shared target call is every run’s', async () => {
    const target = table(1);
    let calls = 0;
    const broken = {
      ...target,
      forward: (...args: Parameters<typeof target.forward>) => {
        if (++calls > 2) throw new Error('the device is gone');
        return target.forward(...args);
      },
    };
    const found: string[] = [];
    for await (const event of generateBatch({ target: broken }, [request(1), request(2)])) {
      if (event.kind === 'failed') found[event.index] = event.error.message;
    }
    expect(found).toEqual(['the device is gone', 'the device is gone']);
    expect(target.open()).toBe(0);
  });

  it('when a shared draft call fails, each run drafts alone, and only the one at fault fails', async () => {
    const draft = table(2);
    const inner = modelDrafter(draft);
    const drafter = {
      ...inner,
      proposeAll: async (turns: Parameters<NonNullable<typeof inner.proposeAll>>[0]) => {
        if (turns.some(({ request: { ids } }) => ids.length > 4 && ids[1] === 99)) throw new Error('never');
        if (turns.length > 1) throw new Error('the shared call fails');
        return (inner.proposeAll as NonNullable<typeof inner.proposeAll>)(turns);
      },
    };
    const requests = [request(1), request(2)];
    const found = await ends(requests, drafter);
    for (const [index, one] of requests.entries()) expect(found.get(index)).toEqual(await alone(one));
    expect(draft.open()).toBe(0);
  });

  it('collect gives the result, and throws what ended the run', async () => {
    expect(await alone(request(1))).toHaveLength(12);
    await expect(alone(request(1, { processors: [failing(3)] }))).rejects.toThrow('this processor fails');
  });
});
