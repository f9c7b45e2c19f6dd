import fc from 'fast-check';
import {
  Batch,
  earlyExitDrafter,
  type GenerationEvent,
  modelDrafter,
  type Pair,
  type SequenceRequest,
} from '../../decoding';
import type { Run } from '../../decoding/run';
import type { Sequence } from '../../decoding/sequence';

import { type ForwardOptions, loadModel, type SequenceModel, type T5Model } from '../../engine';
import { type Backend, createBackend } from '../../kernels';
import { finish } from '../support/exactness';
import { randomCheckpoint, tinyConfig } from '../support/random-checkpoint';

/** A batch, what each of its sequences gives alone, and what it has given so far. */
interface Real {
  readonly pair: Pair;
  /** How the draft's model is called. */
  readonly draftOptions: ForwardOptions;
  readonly batch: Batch;
  readonly given: Map<number, number[]>;
  readonly ended: Map<number, string>;
  readonly alone: (readonly number[])[];
  readonly stops: AbortController[];
  readonly seen: Seen;
}

/** How often each kind of check was made: a check that is never made proves nothing. */
interface Seen {
  drafts: number;
  done: number;
  failed: number;
}

/** Indices of the sequences that are being decoded. */
interface Model {
  live: Set<number>;
}

type Step = fc.AsyncCommand<Model, Real>;

const membersOf = (batch: Batch): { index: number; run: Run }[] => Reflect.get(batch, 'members');

/** Logits of the last id, computed with the keys in the sequence's cache. The sequence stays as it is. */
async function cachedRow(
  sequence: Sequence,
  ids: readonly number[],
  options: ForwardOptions = {},
): Promise<Float32Array> {
  const copy = sequence.fork();
  const rows = copy.rows(ids);
  const view = await sequence.model.forward(rows, options);
  const row = await view.read(rows.length - 1);
  view.dispose();
  copy.dispose();
  return row;
}

/** The same logits, computed from an empty stream with all ids in one call. */
async function uncachedRow(
  model: SequenceModel,
  source: readonly number[],
  ids: readonly number[],
  options: ForwardOptions = {},
): Promise<Float32Array> {
  const [encoded] = await model.encode([source]);
  const stream = encoded.open();
  const view = await model.forward(
    ids.map((token, i) => ({ stream, token, position: i, parent: i - 1 })),
    options,
  );
  const row = await view.read(ids.length - 1);
  view.dispose();
  stream.dispose();
  encoded.dispose();
  return row;
}

async function check(model: Model, real: Real): Promise<void> {
  const members = membersOf(real.batch);
  expect(new Set(members.map(({ index }) => index))).toEqual(model.live);
  for (const { index, run } of members) {
    const given = real.given.get(index) ?? [];
    expect(run.ids.slice(1)).toEqual(given);
    expect(given).toEqual(real.alone[index].slice(0, given.length));
    const { source } = run.encoding.encoded;
    expect(await cachedRow(run.target, run.ids)).toEqual(await uncachedRow(run.target.model, source, run.ids));
    if (!run.draft) continue;
    const draft: Sequence = Reflect.get(run.draft, 'sequence');
    const options = real.draftOptions;
    const cached = await cachedRow(draft, run.ids, options);
    expect(cached).toEqual(await uncachedRow(draft.model, source, run.ids, options));
    real.seen.drafts++;
  }
}

function take(events: readonly GenerationEvent[], model: Model, real: Real): void {
  for (const event of events) {
    const given = real.given.get(event.index) ?? [];
    real.given.set(event.index, given);
    if (event.kind === 'token') {
      expect(event.position).toBe(given.length);
      given.push(event.token);
    } else {
      if (event.kind === 'done') expect(event.result.ids).toEqual(real.alone[event.index]);
      if (event.kind === 'done') expect(given).toEqual(real.alone[event.index]);
      if (event.kind === 'failed') expect(event.error).toMatchObject({ code: 'aborted' });
      real.seen[event.kind]++;
      real.ended.set(event.index, event.kind);
      model.live.delete(event.index);
    }
  }
}

class Join implements Step {
  constructor(private readonly requests: readonly SequenceRequest[]) {}
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    const requests = this.requests.map((request) => {
      const stop = new AbortController();
      real.stops.push(stop);
      return { ...request, signal: stop.signal };
    });
    for (const request of this.requests) {
      model.live.add(real.alone.length);
      real.alone.push((await finish({ ...real.pair, ...request })).ids);
    }
    take(await real.batch.add(requests), model, real);
    await check(model, real);
  }
  toString = () => `join ${JSON.stringify(this.requests)}`;
}

/** One round of every sequence. */
class Round implements Step {
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    take(await real.batch.step(), model, real);
    await check(model, real);
  }
  toString = () => 'round';
}

class Abort implements Step {
  constructor(private readonly which: number) {}
  check = (model: Readonly<Model>) => model.live.size > 0;
  async run(model: Model, real: Real): Promise<void> {
    const live = [...model.live];
    const index = live[this.which % live.length];
    real.stops[index].abort();
    take(await real.batch.step(), model, real);
    expect(real.ended.get(index)).toBe('failed');
    await check(model, real);
  }
  toString = () => `abort ${this.which}`;
}

const request: fc.Arbitrary<SequenceRequest> = fc.record({
  source: fc.array(fc.integer({ min: 2, max: 36 }), { minLength: 1, maxLength: 5 }).map((ids) => [...ids, 1]),
  settings: fc
    .record({
      temperature: fc.constantFrom(0, 1),
      seed: fc.nat(999),
      verification: fc.constantFrom('token' as const, 'coupled' as const),
      maxNewTokens: fc.integer({ min: 2, max: 12 }),
      shape: fc.oneof(
        fc.record({ gamma: fc.integer({ min: 0, max: 4 }) }),
        fc.record({ branching: fc.constantFrom([3], [2, 1], [2, 2]) }),
      ),
    })
    .map(({ shape, ...rest }) => ({ ...rest, ...shape })),
});

const commands = fc.commands(
  [
    fc.array(request, { minLength: 1, maxLength: 2 }).map((requests) => new Join(requests)),
    fc.constant(new Round()),
    fc.constant(new Round()),
    fc.nat(9).map((which) => new Abort(which)),
  ],
  { maxCommands: 14 },
);

describe('a session of sequences that join, propose, roll back, end and are aborted', () => {
  let backend: Backend;
  let target: T5Model;
  let rough: T5Model;
  let other: T5Model;
  const slotsInUse = (model: T5Model): number[] => [
    Reflect.get(model, 'selfSlots').inUse,
    Reflect.get(model, 'crossSlots').inUse,
  ];

  beforeAll(async () => {
    backend = await createBackend('cpu');
    target = await loadModel(randomCheckpoint(tinyConfig(), 1), backend);
    // The target's weights, rounded, so that this draft agrees often but not always.
    rough = await loadModel(randomCheckpoint(tinyConfig(), 1), backend, { dtype: 'bf16' });
    other = await loadModel(randomCheckpoint(tinyConfig(), 2), backend);
  });

  afterAll(async () => {
    other.dispose();
    rough.dispose();
    target.dispose();
    await backend.dispose();
  });

  const drafters: [string, () => Pair, ForwardOptions?][] = [
    ['a rough copy', () => ({ target, drafter: modelDrafter(rough) })],
    ['another model', () => ({ target, drafter: modelDrafter(other) })],
    ['the first two layers', () => ({ target, drafter: earlyExitDrafter(target, 2) }), { layers: 2 }],
  ];
  it.each(drafters)(
    'drafted by %s: after every step cached logits equal uncached ones bit for bit, and each text is the text of running alone',
    async (_, pair, draftOptions = {}) => {
      const seen: Seen = { drafts: 0, done: 0, failed: 0 };
      await fc.assert(
        fc.asyncProperty(commands, async (steps) => {
          const batch = new Batch(pair());
          await fc.asyncModelRun(
            () => ({
              model: { live: new Set<number>() },
              real: {
                pair: pair(),
                draftOptions,
                batch,
                given: new Map(),
                ended: new Map(),
                alone: [],
                stops: [],
                seen,
              },
            }),
            steps,
          );
          batch.dispose();
          expect([target, rough, other].flatMap(slotsInUse)).toEqual([0, 0, 0, 0, 0, 0]);
        }),
        { numRuns: 60 },
      );
      expect(Math.min(seen.drafts, seen.done, seen.failed)).toBeGreaterThan(0);
    },
    60_000,
  );
});
