import fc from 'fast-check';
import {
  beamSearch,
  copyDrafter,
  type Drafter,
  earlyExitDrafter,
  firstOf,
  type GenerationEvent,
  generate,
  generateBatch,
  type LogitsProcessor,
  modelDrafter,
} from '../../decoding';
import type { ForwardOptions, SequenceModel } from '../../engine';
import { randomTable, type TableModel, tableModel } from '../support/table-model';

const VOCABULARY = 8;
const table = (seed: number) =>
  tableModel({ vocabulary: VOCABULARY, logits: randomTable(VOCABULARY, seed), eosTokens: [1] });

/** How a run ends, and after how many events or calls. */
interface End {
  readonly how: 'break' | 'throw' | 'abort' | 'processor' | 'target' | 'draft' | 'encode' | 'none';
  readonly after: number;
}

const end: fc.Arbitrary<End> = fc.record({
  how: fc.constantFrom('break', 'throw', 'abort', 'processor', 'target', 'draft', 'encode', 'none'),
  after: fc.nat(12),
});

/** The model, whose forward call number `after` fails, or whose encode call does. */
function failing(model: TableModel, { how, after }: End, role: 'target' | 'draft'): SequenceModel {
  let calls = 0;
  return {
    ...model,
    encode: async (sources) => {
      if (how === 'encode' && (role === 'draft' || after % 2 === 0)) throw new Error('this source cannot be encoded');
      return model.encode(sources);
    },
    forward: (rows, options?: ForwardOptions) => {
      if (how === role && calls++ === after) throw new Error('this call fails');
      return model.forward(rows, options);
    },
  };
}

const DRAFTERS: Record<string, (target: SequenceModel, draft: SequenceModel) => Drafter> = {
  model: (_, draft) => modelDrafter(draft),
  'early exit': (target) => earlyExitDrafter(target, 1),
  'copy, then model': (_, draft) => firstOf([copyDrafter(VOCABULARY), modelDrafter(draft)]),
  'early exit, then model': (target, draft) => firstOf([earlyExitDrafter(target, 1), modelDrafter(draft)]),
};

/** Reads events until the run ends in the way that was chosen. Errors are expected and end it too. */
async function read(
  events: AsyncIterable<GenerationEvent>,
  { how, after }: End,
  controller: AbortController,
): Promise<void> {
  let seen = 0;
  for await (const _ of events) {
    if (seen++ !== after) continue;
    if (how === 'break') break;
    if (how === 'throw') throw new Error('the caller fails');
    if (how === 'abort') controller.abort();
  }
}

const processorOf = ({ how, after }: End): LogitsProcessor => {
  let calls = 0;
  return () => {
    if (how === 'processor' && calls++ === after) throw new Error('this processor fails');
  };
};

const settingsOf = (one: End, gamma: number, branching: readonly number[] | null) => ({
  temperature: 1,
  maxNewTokens: 12,
  processors: [processorOf(one)],
  ...(branching ? { branching } : { gamma }),
});

describe('whatever ends a run, all views, streams and encodings are given back', () => {
  const shape = fc.record({
    gamma: fc.nat(4),
    branching: fc.constantFrom(null, null, [2, 1], [3, 2]),
    seed: fc.nat(999),
    drafter: fc.constantFrom(...Object.keys(DRAFTERS)),
  });
  const source = [3, 4, 1];

  it('of generate', async () => {
    const ends = new Set<string>();
    await fc.assert(
      fc.asyncProperty(end, shape, async (one, { gamma, branching, seed, drafter }) => {
        const [target, draft] = [table(seed), table(seed + 1)];
        const models = [failing(target, one, 'target'), failing(draft, one, 'draft')] as const;
        const controller = new AbortController();
        const request = {
          target: models[0],
          drafter: DRAFTERS[drafter](...models),
          source,
          settings: settingsOf(one, gamma, branching),
          signal: controller.signal,
        };
        const outcome = await read(generate(request), one, controller).then(
          () => 'ended',
          (error: Error) => error.message,
        );
        ends.add(outcome);
        expect([target.open(), draft.open()]).toEqual([0, 0]);
      }),
      { numRuns: 300 },
    );
    expect([...ends].sort()).toEqual([
      'ended',
      'generation: cancelled',
      'the caller fails',
      'this call fails',
      'this processor fails',
      'this source cannot be encoded',
    ]);
  });

  it('of generateBatch', async () => {
    let failures = 0;
    await fc.assert(
      fc.asyncProperty(end, shape, async (one, { gamma, branching, seed, drafter }) => {
        const [target, draft] = [table(seed), table(seed + 1)];
        const models = [failing(target, one, 'target'), failing(draft, one, 'draft')] as const;
        const controller = new AbortController();
        const requests = [0, 1, 2, 3].map((i) => ({
          source,
          settings: { ...settingsOf(i === 1 ? one : { how: 'none', after: 0 }, gamma, branching), seed: i },
        }));
        const pair = { target: models[0], drafter: DRAFTERS[drafter](...models) };
        const run = generateBatch(pair, requests, { concurrency: 2, signal: controller.signal });
        await read(run, one, controller).catch(() => failures++);
        expect([target.open(), draft.open()]).toEqual([0, 0]);
      }),
      { numRuns: 200 },
    );
    expect(failures).toBeGreaterThan(10);
  });

  it('of beamSearch', async () => {
    let failures = 0;
    await fc.assert(
      fc.asyncProperty(end, shape, async (one, { gamma, seed }) => {
        const [target, draft] = [table(seed), table(seed + 1)];
        const controller = new AbortController();
        const model = failing(draft, one, 'draft');
        const forward: SequenceModel['forward'] = (rows, options) => {
          if (one.how === 'abort' && --left < 0) controller.abort();
          return inner.forward(rows, options);
        };
        let left = one.after % 5;
        const inner = failing(target, one, 'target');
        const settings = { numBeams: 3, maxNewTokens: 8 };
        const request = { target: { ...inner, forward }, source, settings, signal: controller.signal };
        await beamSearch({ ...request, drafter: { model, gamma } }).catch(() => failures++);
        expect([target.open(), draft.open()]).toEqual([0, 0]);
      }),
      { numRuns: 200 },
    );
    expect(failures).toBeGreaterThan(10);
  });
});
