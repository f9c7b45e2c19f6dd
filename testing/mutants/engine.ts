import { modelDrafter } from '../../decoding';
import {
  type DecoderRow,
  type DecoderStream,
  type Encoded,
  type LogitsView,
  loadModel,
  type SequenceModel,
} from '../../engine';
import { type Backend, createBackend, type PlanSpec } from '../../kernels';
import { finish, samplerOutcomes, targetOutcomes } from '../exactness';
import { randomCheckpoint, tinyConfig } from '../random-checkpoint';
import { randomTable, type TableOptions, tableModel } from '../table-model';
import { distanceFinding, type Family, type Finding, worldOf, worstOf } from './family';

const SOURCE = [5, 9, 2, 30, 1];

/** Changes the plans of decoder calls before the backend gets them. `state` lives as long as the backend. */
type Bend = (spec: PlanSpec, state: { next: number }) => PlanSpec;

/** The backend with every self-attention plan of the decoder changed. Plans of the encoder and of cross-attention stay. */
function bent(backend: Backend, bend: Bend): Backend {
  const state = { next: 0 };
  return new Proxy(backend, {
    get: (inner, key) => {
      if (key === 'arrange') {
        return (plan: Parameters<Backend['arrange']>[0], spec: PlanSpec) => inner.arrange(plan, bend(spec, state));
      }
      const value = Reflect.get(inner, key, inner);
      return typeof value === 'function' ? value.bind(inner) : value;
    },
  });
}

/**
 * The largest difference between the logits of rows after a rollback and in a tree, and the logits of the same texts decoded one
 * token at a time on an unchanged engine.
 */
async function difference(bend: Bend): Promise<Finding> {
  const backend = await createBackend('cpu');
  const checkpoint = randomCheckpoint(tinyConfig(), 31);
  const [straight, model] = [await loadModel(checkpoint, backend), await loadModel(checkpoint, bent(backend, bend))];
  const [encoded] = await model.encode([SOURCE]);
  const stream = encoded.open();
  const row = (token: number, position: number, parent: number): DecoderRow => ({ stream, token, position, parent });
  const read = async (rows: readonly DecoderRow[]) => {
    const view = await model.forward(rows);
    const logits = await Promise.all(rows.map((_, r) => view.read(r)));
    view.dispose();
    return logits;
  };
  // The start token and a proposal of three tokens, of which one is accepted; then its correction and a tree of three tokens.
  await read([row(0, 0, -1), row(4, 1, 0), row(8, 2, 1), row(15, 3, 2)]);
  stream.truncate(2);
  const found = await read([row(16, 2, -1), row(23, 3, 0), row(20, 3, 0), row(11, 4, 2)]);
  const texts = [[], [23], [20], [20, 11]].map((tail) => [0, 4, 16, ...tail]);
  const findings: Finding[] = [];
  for (const [i, text] of texts.entries()) {
    const wanted = await lastLogits(straight, text);
    const value = Math.max(...found[i].map((logit, token) => Math.abs(logit - wanted[token])));
    findings.push({ value, example: `a logit after ids ${text.join()} is ${value.toPrecision(3)} away` });
  }
  stream.dispose();
  encoded.dispose();
  await backend.dispose();
  return worstOf(findings);
}

async function lastLogits(model: SequenceModel, ids: readonly number[]): Promise<Float32Array> {
  const [encoded] = await model.encode([SOURCE]);
  const stream = encoded.open();
  let logits = new Float32Array(0);
  for (const [position, token] of ids.entries()) {
    const view = await model.forward([{ stream, token, position, parent: -1 }]);
    logits = new Float32Array(await view.read(0));
    view.dispose();
  }
  stream.dispose();
  encoded.dispose();
  return logits;
}

/** Whether a plan belongs to the decoder's self-attention: it writes keys, and it does not begin a text. */
const goesOn = ({ position, write }: PlanSpec) => write.length > 0 && position.length > 0 && position[0] > 0;

export const ENGINE: Family = {
  check: 'logits after a rollback and in a tree, real engine',
  unit: 'largest difference',
  limit: 0,
  caught: 1e-3,
  shipped: async () => (await difference((spec) => spec)).value,
  mutants: [
    {
      name: 'position bias left from before a rollback',
      measure: () =>
        difference((spec, state) => {
          if (!goesOn(spec)) {
            state.next = spec.position.length;
            return spec;
          }
          const late = state.next - spec.position[0];
          state.next += spec.position.length;
          return { ...spec, position: spec.position.map((at) => at + late) };
        }),
    },
    {
      name: 'position bias of a tree by row, not by depth',
      measure: () =>
        difference((spec) =>
          goesOn(spec) ? { ...spec, position: spec.position.map((_, row) => spec.position[0] + row) } : spec,
        ),
    },
    {
      name: 'rows of a tree that see their siblings',
      measure: () =>
        difference((spec) => {
          if (!goesOn(spec)) return spec;
          const { rows, start, count, keys, write } = spec;
          const settled = keys.slice(start[0], start[0] + count[0]); // what the first row sees, itself included or not
          const lists = Array.from({ length: rows }, (_, row) => [
            ...new Set([...settled, ...write.slice(0, row), ...keys.slice(start[row], start[row] + count[row])]),
          ]);
          const starts = lists.map((_, row) => lists.slice(0, row).reduce((sum, list) => sum + list.length, 0));
          const [from, counts] = [Int32Array.from(starts), Int32Array.from(lists, (list) => list.length)];
          return { ...spec, start: from, count: counts, keys: Int32Array.from(lists.flat()) };
        }),
    },
  ],
};

interface Cache {
  ids: number[];
  length: number;
}

/** A table model whose cache keeps one token too many when it is truncated. Everything after it sees that token. */
function hoarding(table: TableOptions): SequenceModel {
  const honest = tableModel(table);
  const caches = new WeakMap<object, Cache>();
  const open = (encoded: Encoded) => {
    const cache: Cache = { ids: [], length: 0 };
    const stream = hoardingStream(encoded, cache);
    caches.set(stream, cache);
    return stream;
  };
  return {
    ...honest,
    encode: async (sources) =>
      sources.map((source) => {
        const encoded: Encoded = {
          source: source as readonly number[],
          open: () => open(encoded),
          dispose: () => undefined,
          [Symbol.dispose]: () => undefined,
        };
        return encoded;
      }),
    forward: async (rows) => {
      const seen = rows.map(({ stream, token }) => {
        const cache = caches.get(stream) as Cache;
        cache.ids.push(token);
        cache.length++;
        return [...cache.ids];
      });
      return viewOf(honest, seen, table.vocabulary);
    },
  };
}

function hoardingStream(encoded: Encoded, cache: Cache): DecoderStream {
  const stream: DecoderStream = {
    encoded,
    get length() {
      return cache.length;
    },
    truncate: (length: number) => {
      cache.ids = cache.ids.slice(0, cache.ids.length - (cache.length - length) + 1);
      cache.length = length;
    },
    keep: () => undefined,
    fork: () => stream,
    dispose: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
  return stream;
}

/** The model's view of rows that each come after the ids in their cache. */
async function viewOf(model: SequenceModel, seen: readonly number[][], vocabulary: number): Promise<LogitsView> {
  const [encoded] = await model.encode([[1]]);
  const views = await Promise.all(
    seen.map(async (ids) => {
      const stream = encoded.open();
      return model.forward(ids.map((token, position) => ({ stream, token, position, parent: position - 1 })));
    }),
  );
  const last = (r: number) => seen[r].length - 1;
  const logit = async (r: number, token: number) => (await views[r].read(last(r)))[token];
  const best = async (r: number) => (await views[r].argMax())[last(r)];
  return {
    rows: seen.length,
    vocabulary,
    argMax: async () => Int32Array.from(await Promise.all(views.map((_, r) => best(r)))),
    logSumExp: (r, scale) => views[r].logSumExp(last(r), scale),
    at: async (at, tokens) => Float32Array.from(await Promise.all(Array.from(at, (r, i) => logit(r, tokens[i])))),
    topK: (r, k) => views[r].topK(last(r), k),
    read: (r) => views[r].read(last(r)),
    dispose: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
}

const SETTINGS = { temperature: 1, maxNewTokens: 3, gamma: 2 };

async function cachedDistance(wrap: (table: TableOptions) => SequenceModel): Promise<Finding> {
  const findings: Finding[] = [];
  for (const seed of [3, 4, 5, 6]) {
    const { target, draft } = worldOf(seed);
    const request = { target: wrap(target), settings: SETTINGS };
    const outcomes = await samplerOutcomes({ request, drafter: modelDrafter(tableModel(draft)) });
    findings.push(distanceFinding(outcomes, targetOutcomes(target, SETTINGS), `models ${seed}`));
  }
  return worstOf(findings);
}

export const TARGET_CACHE: Family = {
  check: 'enumeration of texts, the target’s cache',
  unit: 'total variation',
  limit: 1e-12,
  caught: 1e-3,
  shipped: async () => (await cachedDistance(tableModel)).value,
  mutants: [
    { name: 'a target whose cache is one token ahead after a rollback', measure: () => cachedDistance(hoarding) },
  ],
};

/** A draft that equals the target except for one token at the second position. That token and those after it are rejected. */
const ERRING = 2;

/** Rejected proposals beyond those of the one error, over greedy texts of 24 tokens. With a right cache there are none. */
async function refused(wrap: (table: TableOptions) => SequenceModel): Promise<Finding> {
  let unexpected = 0;
  for (const seed of [3, 4, 5, 6]) {
    const table = { vocabulary: 9, logits: randomTable(9, seed) };
    const erring: TableOptions['logits'] = (ids, source) => {
      const logits = table.logits(ids, source);
      return ids.length === ERRING ? logits.map((logit) => -logit) : logits;
    };
    const drafter = modelDrafter(wrap({ ...table, logits: erring }));
    const settings = { maxNewTokens: 24, gamma: 3 };
    const { metrics } = await finish({ target: tableModel(table), drafter, source: [1], settings });
    unexpected += metrics.proposed - metrics.accepted - 2;
  }
  return { value: unexpected, example: `${unexpected} right proposals are refused after the error` };
}

export const DRAFT_CACHE: Family = {
  check: 'a draft that errs once is refused once',
  unit: 'proposals refused beyond',
  limit: 0,
  caught: 0,
  shipped: async () => (await refused(tableModel)).value,
  mutants: [{ name: 'a draft whose cache is one token ahead after a rollback', measure: () => refused(hoarding) }],
};
