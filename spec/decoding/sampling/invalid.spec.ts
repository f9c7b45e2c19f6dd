import { beamSearch, generate, generateBatch, modelDrafter, type Settings, scoreTargets } from '../../../decoding';
import { loadModel, type SequenceModel } from '../../../engine';
import { type Backend, createBackend } from '../../../kernels';
import type { TensorData } from '../../../weights/safetensors/writer';
import { HEAD_NAME } from '../../../weights/tensors';
import { memoryCheckpoint, randomTensors, tinyConfig } from '../../support/random-checkpoint';
import { randomTable, type TableModel, tableModel } from '../../support/table-model';

const VOCABULARY = 6;
/** The position whose row is wrong: the third new token. */
const POSITION = 3;
const WRONG = [Number.NaN, Number.POSITIVE_INFINITY] as const;

/** A model that gives one wrong logit in every row that predicts the position, or −∞ for NaN's sake where it is right. */
function tables(wrong: number | null, seed: number): TableModel {
  const logits = randomTable(VOCABULARY, seed);
  return tableModel({
    vocabulary: VOCABULARY,
    eosTokens: [],
    logits: (ids) => {
      const row = [...logits(ids, [])];
      row[4] = wrong !== null && ids.length === POSITION ? wrong : Number.NEGATIVE_INFINITY;
      return row;
    },
  });
}

/** Every way to sample, by name. */
const SAMPLED: Readonly<Record<string, Settings>> = {
  greedy: {},
  'greedy with rules': { repetitionPenalty: 1.2 },
  'greedy, tokens forced': { forcedPrefix: [2, 3, 5, 2] },
  'greedy with log-probabilities': { logProbs: 2 },
  sampled: { temperature: 1 },
  'top-p': { temperature: 1, topP: 0.9 },
  'top-k': { temperature: 0.8, topK: 3 },
  'min-p': { temperature: 1, minP: 0.1 },
  typical: { temperature: 1, typicalP: 0.8 },
  'epsilon and eta': { temperature: 1, epsilonCutoff: 0.05, etaCutoff: 0.05 },
  'top-h': { temperature: 1, topH: 0.7 },
  'own processors': { temperature: 1, processors: [(_, logits) => logits.fill(0)] },
};
const VERIFIED: Readonly<Record<string, Settings>> = {
  token: { gamma: 3 },
  block: { gamma: 3, verification: 'block' },
  coupled: { gamma: 3, verification: 'coupled' },
  trees: { branching: [2, 1, 1] },
};

type Pair = { readonly target: SequenceModel; readonly draft?: SequenceModel };
type Path = (pair: Pair) => Promise<unknown>;

async function toEnd(pair: Pair, settings: Settings): Promise<void> {
  const drafter = pair.draft ? modelDrafter(pair.draft) : null;
  for await (const _ of generate({
    target: pair.target,
    drafter,
    source: [1],
    settings: { maxNewTokens: 6, ...settings },
  }));
}

/** Every path that reads logits of a target alone. */
const PATHS: Readonly<Record<string, Path>> = {
  ...Object.fromEntries(
    Object.entries(SAMPLED).map(([name, settings]) => [name, (pair: Pair) => toEnd(pair, settings)]),
  ),
  beams: ({ target }) => beamSearch({ target, source: [1], settings: { numBeams: 2, maxNewTokens: 6 } }),
  'beams over whole rows': ({ target }) =>
    beamSearch({ target, source: [1], settings: { numBeams: 2, maxNewTokens: 6, sequenceBias: [[[2], 1]] } }),
  score: ({ target }) => scoreTargets({ target, source: [1], targets: [[2, 3, 5, 2]] }),
};

const refusal = (model: string, found: string) => ({
  code: 'logits-invalid',
  message: `${model}: position ${POSITION}: expected logits below infinity, found ${found}`,
});

describe('logits that are NaN or infinite are an error that names the model, the position and the token', () => {
  const ways = Object.keys(PATHS).flatMap((path) => WRONG.map((wrong) => ({ path, wrong })));

  it.each(ways)('$path: $wrong at one token of a row; −∞ is a token that is forbidden', async ({ path, wrong }) => {
    const target = tables(wrong, 1);
    await expect(PATHS[path]({ target })).rejects.toMatchObject(refusal('target', `${wrong} for token 4`));
    expect(target.open()).toBe(0);
    const sound = tables(null, 1);
    await PATHS[path]({ target: sound });
    expect(sound.open()).toBe(0);
  });

  const drafted = Object.keys(VERIFIED).flatMap((kind) => Object.keys(SAMPLED).map((rules) => ({ kind, rules })));

  it.each(drafted)('of the draft, $kind verification, $rules', async ({ kind, rules }) => {
    const settings = { ...SAMPLED[rules], ...VERIFIED[kind] };
    for (const [target, draft, model] of [
      [tables(null, 1), tables(Number.NaN, 2), 'draft'],
      [tables(Number.NaN, 1), tables(null, 2), 'target'],
    ] as const) {
      const run = toEnd({ target, draft }, settings);
      await expect(run).rejects.toMatchObject(refusal(model, 'NaN for token 4'));
      expect([target.open(), draft.open()]).toEqual([0, 0]);
    }
  });

  it('of the draft in a beam search', async () => {
    const [target, draft] = [tables(null, 1), tables(Number.NaN, 2)];
    const settings = { numBeams: 2, maxNewTokens: 6 };
    const run = beamSearch({ target, source: [1], settings, drafter: { model: draft, gamma: 3 } });
    await expect(run).rejects.toMatchObject(refusal('draft', 'NaN for token 4'));
    expect([target.open(), draft.open()]).toEqual([0, 0]);
  });

  it('ends the sequence that reached them, and not the others of its batch', async () => {
    const logits = randomTable(VOCABULARY, 1);
    const target = tableModel({
      vocabulary: VOCABULARY,
      logits: (ids, source) =>
        source[0] === 2 && ids.length === POSITION ? logits(ids, []).map(() => NaN) : logits(ids, []),
    });
    const requests = [1, 2, 3].map((id) => ({ source: [id], settings: { maxNewTokens: 5 } }));
    const ends: string[] = [];
    for await (const event of generateBatch({ target }, requests)) {
      if (event.kind === 'done') ends[event.index] = 'done';
      if (event.kind === 'failed') ends[event.index] = (event.error as Error & { code: string }).code;
    }
    expect(ends).toEqual(['done', 'logits-invalid', 'done']);
  });
});

describe.each(['reference', 'cpu', 'wasm'] as const)('a T5 whose head has a weight that is NaN, on %s', (name) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await createBackend(name, { threads: 1 });
  });
  afterAll(() => backend.dispose());

  /** Random T5s of a small and of a screened vocabulary; one weight of token 4, or all weights of the final norm, are wrong. */
  async function model(vocabularySize: number, wrong: number, place: 'head' | 'norm'): Promise<SequenceModel> {
    const config = tinyConfig({ vocabularySize, tiesHead: false, decoderLayers: 1 });
    const tensors = new Map(randomTensors(config, 3, true));
    const tensor = place === 'head' ? HEAD_NAME : 'decoder.final_layer_norm.weight';
    const { data, ...rest } = tensors.get(tensor) as TensorData;
    const values = new Float32Array(data.slice().buffer);
    values[place === 'head' ? 4 * config.dModel : 0] = wrong;
    tensors.set(tensor, { ...rest, data: new Uint8Array(values.buffer) });
    return loadModel(memoryCheckpoint('wrong', config, tensors), backend, { dtype: 'f32' });
  }

  const sizes = name === 'wasm' ? [37, 17_000] : [37];
  const ways = sizes.flatMap((size) => Object.keys(PATHS).map((path) => ({ size, path })));

  const made = new Map<string, Promise<SequenceModel>>();
  const modelOf = (size: number, place: 'head' | 'norm') => {
    const found = made.get(`${size} ${place}`) ?? model(size, Number.NaN, place);
    made.set(`${size} ${place}`, found);
    return found;
  };

  it.each(ways)('$size ids: $path', async ({ size, path }) => {
    for (const place of ['head', 'norm'] as const) {
      const target = await modelOf(size, place);
      const message = expect.stringMatching(/^target: position 1: expected logits below infinity, found NaN for token/);
      await expect(PATHS[path]({ target })).rejects.toMatchObject({ code: 'logits-invalid', message });
    }
  });
});
