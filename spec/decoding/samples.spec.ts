import fc from 'fast-check';
import {
  copyDrafter,
  type Drafter,
  earlyExitDrafter,
  firstOf,
  type GenerationEvent,
  generateBatch,
  modelDrafter,
  type SequenceRequest,
} from '../../decoding';
import type { Encoded, SequenceModel } from '../../engine';
import { finish } from '../support/exactness';
import { randomTable, type TableModel, tableModel } from '../support/table-model';

const VOCABULARY = 8;
const table = (seed: number): TableModel =>
  tableModel({ vocabulary: VOCABULARY, logits: randomTable(VOCABULARY, seed), eosTokens: [1] });

/** How often a model encoded a source, and how often each encoding was given back. */
interface Watch {
  readonly sources: number[][];
  readonly disposals: number[];
}

function watched(model: TableModel): SequenceModel & { readonly watch: Watch } {
  const watch: Watch = { sources: [], disposals: [] };
  const encode: SequenceModel['encode'] = async (sources) => {
    const encoded = await model.encode(sources);
    return encoded.map((one, i) => {
      const number = watch.sources.push([...(sources[i] as number[])]) - 1;
      watch.disposals.push(0);
      const counted: Encoded = {
        ...one,
        dispose: () => {
          watch.disposals[number]++;
          one.dispose();
        },
      };
      return counted;
    });
  };
  return { ...model, encode, watch };
}

const DRAFTERS: Record<string, (target: SequenceModel, draft: SequenceModel) => Drafter | null> = {
  nothing: () => null,
  'another model': (_, draft) => modelDrafter(draft),
  'its first layers': (target) => earlyExitDrafter(target, 1),
  'copying, then a model': (_, draft) => firstOf([copyDrafter(VOCABULARY), modelDrafter(draft)]),
};

/** Requests for samples of each source; those of one source have one list of ids. */
function samplesOf(sources: readonly (readonly number[])[], samples: number, gamma: number): SequenceRequest[] {
  return sources.flatMap((source, i) =>
    Array.from({ length: samples }, (_, sample) => ({
      source,
      settings: { temperature: 1, gamma, maxNewTokens: 10, seed: 5, sequence: `line ${i} sample ${sample}` },
    })),
  );
}

async function idsOf(events: AsyncIterable<GenerationEvent>): Promise<(readonly number[])[]> {
  const ids: (readonly number[])[] = [];
  for await (const event of events) {
    if (event.kind === 'failed') throw event.error;
    if (event.kind === 'done') ids[event.index] = event.result.ids;
  }
  return ids;
}

describe('samples of one source', () => {
  it.each(Object.keys(DRAFTERS))(
    'are what each is alone, for one encode of each model and one target call a round, drafted by %s',
    async (name) => {
      await fc.assert(
        fc.asyncProperty(
          fc.nat(999),
          fc.integer({ min: 2, max: 9 }),
          fc.integer({ min: 1, max: 2 }),
          fc.nat(3),
          async (seed, samples, inputs, gamma) => {
            const [target, draft] = [watched(table(seed)), watched(table(seed + 1))];
            const drafter = DRAFTERS[name](target, draft);
            const sources = [
              [3, 4, 1],
              [3, 4, 1],
            ].slice(0, inputs);
            const requests = samplesOf(sources, samples, gamma);
            const before = (target as unknown as TableModel).calls();
            const together = await idsOf(generateBatch({ target, drafter }, requests, { concurrency: 99 }));
            const calls = (target as unknown as TableModel).calls() - before;
            const alone = [];
            let rounds = 0;
            const plain = { target: table(seed), drafter: DRAFTERS[name](table(seed), table(seed + 1)) };
            for (const request of requests) {
              const result = await finish({ ...plain, ...request });
              alone.push(result.ids);
              rounds = Math.max(rounds, result.metrics.rounds);
            }
            expect(together).toEqual(alone);
            expect(target.watch.sources).toEqual(sources); // equal lists that are two lists are two sources
            if (name !== 'its first layers') expect(calls).toBe(rounds); // its proposals are calls too
            const drafts = draft.watch.sources.length;
            expect(drafts).toBe(gamma > 0 && (name === 'another model' || name.startsWith('copying')) ? inputs : 0);
            for (const { disposals } of [target.watch, draft.watch]) for (const one of disposals) expect(one).toBe(1);
          },
        ),
        { numRuns: 20 },
      );
    },
  );

  it('fewer at once than there are: those that wait share with those that run', async () => {
    const target = watched(table(4));
    const requests = samplesOf([[3, 4, 1]], 8, 2).map((request, i) => ({
      ...request,
      settings: { ...request.settings, minNewTokens: 3 + i, maxNewTokens: 3 + i },
    }));
    const ids = await idsOf(generateBatch({ target }, requests, { concurrency: 3 }));
    expect(ids.map(({ length }) => length)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
    expect(target.watch.sources).toHaveLength(1);
    expect(target.watch.disposals).toEqual([1]);
  });

  const how = fc.constantFrom('break', 'throw', 'abort', 'target', 'draft', 'start', 'encode', 'settings', 'none');

  it('give back each encoding once and everything else, whatever ends them', async () => {
    const ends = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        fc.nat(999),
        how,
        fc.nat(9),
        fc.integer({ min: 1, max: 5 }),
        async (seed, end, after, concurrency) => {
          const [plainTarget, plainDraft] = [table(seed), table(seed + 1)];
          const [target, draft] = [watched(plainTarget), watched(plainDraft)];
          let [calls, encodes] = [0, 0];
          const failing = (model: SequenceModel, when: string): SequenceModel => ({
            ...model,
            encode: async (sources) => {
              if (end === 'encode' || (end === 'start' && when === 'draft' && encodes++ === after % 2)) {
                throw new Error('encode fails');
              }
              return model.encode(sources);
            },
            forward: (rows, options) => {
              if (end === when && calls++ === after) throw new Error('forward fails');
              return model.forward(rows, options);
            },
          });
          const controller = new AbortController();
          const pair = { target: failing(target, 'target'), drafter: modelDrafter(failing(draft, 'draft')) };
          const requests = samplesOf(
            [
              [3, 4, 1],
              [5, 1],
            ],
            4,
            2,
          ).map((one, i) =>
            end === 'settings' && i === after % 8 ? { ...one, settings: { ...one.settings, temperature: -1 } } : one,
          );
          let seen = 0;
          try {
            for await (const _ of generateBatch(pair, requests, { concurrency, signal: controller.signal })) {
              if (seen++ !== after) continue;
              if (end === 'break') break;
              if (end === 'throw') throw new Error('the caller fails');
              if (end === 'abort') controller.abort();
            }
            ends.set(end, (ends.get(end) ?? 0) + 1);
          } catch (error) {
            ends.set((error as Error).message, (ends.get((error as Error).message) ?? 0) + 1);
          }
          expect([plainTarget.open(), plainDraft.open()]).toEqual([0, 0]);
          for (const { disposals } of [target.watch, draft.watch]) for (const one of disposals) expect(one).toBe(1);
        },
      ),
      { numRuns: 250 },
    );
    for (const end of ['break', 'the caller fails', 'generation: cancelled', 'target', 'draft', 'start', 'encode']) {
      expect([end, (ends.get(end) ?? 0) > 3]).toEqual([end, true]);
    }
  });
});
