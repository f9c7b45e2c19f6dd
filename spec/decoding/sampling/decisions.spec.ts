import { seededRandom } from '../../../decoding';
import { Failure } from '../../../decoding/failure';
import { chain } from '../../../decoding/proposal';
import { type Distribution, probabilityOf } from '../../../decoding/sampling/distribution';
import { sample } from '../../../decoding/sampling/draw';
import { type RowRequest, rowDistributions } from '../../../decoding/sampling/processors';
import { verifyTokens } from '../../../decoding/verification/token';

import { type LogitsView, loadModel, type SequenceModel } from '../../../engine';
import { createBackend, openSamplingKernel } from '../../../kernels';
import { BUNDLED, heldOutSources, openPair } from '../../support/equality';
import { type PlainRules, plainArgMax, plainLaw } from '../../support/plain-float64';
import { randomCheckpoint, tinyConfig } from '../../support/random-checkpoint';

const RULES: readonly PlainRules[] = [
  { temperature: 1 },
  { temperature: 0.7 },
  { temperature: 1, topK: 40 },
  { temperature: 1, topP: 0.9 },
  { temperature: 0.7, topK: 20, topP: 0.95 },
];
const ROUNDS = 1000;
const context = { ids: [0], eosTokens: [1] };

/** Target and draft logits of the same places: live views on wasm, and copies of their rows. */
interface Places {
  readonly views: readonly [LogitsView, LogitsView];
  readonly rows: readonly [Float32Array[], Float32Array[]];
}

async function scored(model: SequenceModel, source: readonly number[], text: readonly number[]) {
  const [encoded] = await model.encode([source]);
  const stream = encoded.open();
  const view = await model.forward(text.map((token, i) => ({ stream, token, position: i, parent: i - 1 })));
  stream.dispose();
  encoded.dispose();
  const rows: Float32Array[] = [];
  for (let row = 0; row < view.rows; row++) rows.push(await view.read(row));
  return { view, rows };
}

async function places(
  pair: { target: SequenceModel; draft: SequenceModel },
  source: readonly number[],
  text: readonly number[],
): Promise<Places> {
  const [target, draft] = [await scored(pair.target, source, text), await scored(pair.draft, source, text)];
  return { views: [target.view, draft.view], rows: [target.rows, draft.rows] };
}

const tokensOf = ({ tokens, probabilities }: Distribution): number[] =>
  tokens ? [...tokens] : [...probabilities.keys()];

/** The law as the backend's own reductions give it: its top tokens, its log Σ exp, its single logits. */
async function reduced(view: LogitsView, row: number, rules: PlainRules): Promise<Distribution> {
  const { topK = view.vocabulary, temperature } = rules;
  const { ids, values } = await view.topK(row, topK);
  const all = await view.logSumExp(row, 1 / temperature);
  const share = (i: number) => Math.exp(values[i] / temperature - all);
  const mass = values.reduce((sum, _, i) => sum + share(i), 0);
  let [count, held] = [0, 0];
  while (count < ids.length && (rules.topP === undefined || held < rules.topP * mass)) held += share(count++);
  const tokens = ids.slice(0, count).sort();
  const logits = await view.at(new Int32Array(count).fill(row), tokens);
  return {
    vocabulary: view.vocabulary,
    tokens,
    probabilities: Float64Array.from(logits, (logit) => Math.exp(logit / temperature - all) / held),
  };
}

function expectEqualLaws(found: Distribution, wanted: Distribution): void {
  expect(tokensOf(found)).toEqual(tokensOf(wanted));
  let worst = 0;
  found.probabilities.forEach((share, i) => {
    worst = Math.max(worst, Math.abs(share - wanted.probabilities[i]));
  });
  expect(worst).toBeLessThanOrEqual(1e-12);
}

/** The shipped distributions of rows. */
async function shipped(view: LogitsView, requests: readonly RowRequest[]): Promise<Distribution[]> {
  const [distributions] = await rowDistributions(view, [requests]);
  if (distributions instanceof Failure) throw distributions.error;
  return distributions;
}

/** Decisions of whole rounds: what is proposed, how much of it stands, what comes after. */
function decided(laws: readonly [Distribution[], Distribution[]], seed: number): string {
  const random = seededRandom(seed);
  const [targets, drafts] = laws;
  const at = (position: number) => ({ sequence: 'main', round: 0, position });
  const proposal = drafts.slice(0, -1).map((law, i) => sample(law, random, { ...at(i), purpose: 'propose' }));
  const { path, next } = verifyTokens(chain(proposal), targets, random, at(0));
  return `${proposal.map(({ token }) => token).join()} ${path.length} ${next.token}`;
}

/** Everything of one set of places: arg-max, laws under every rule, and `rounds` rounds of seeded numbers. */
async function expectSameDecisions({ views, rows }: Places, rounds: number): Promise<{ refused: number }> {
  let refused = 0;
  for (const [m, view] of views.entries()) {
    const best = rows[m].map(plainArgMax);
    expect([...(await view.argMax())]).toEqual(best);
    const greedy = await shipped(
      view,
      best.map((_, row) => ({ row, context, processing: { temperature: 0 } })),
    );
    expect(greedy.map((law) => tokensOf(law)[0])).toEqual(best);
  }
  for (const rules of RULES) {
    const laws = { shipped: [] as Distribution[][], reduced: [] as Distribution[][], plain: [] as Distribution[][] };
    for (const [m, view] of views.entries()) {
      const requests = rows[m].map((_, row) => ({ row, context, processing: rules }));
      laws.shipped.push(await shipped(view, requests));
      laws.plain.push(rows[m].map((row) => plainLaw(row, rules)));
      laws.reduced.push(await Promise.all(rows[m].map((_, row) => reduced(view, row, rules))));
      for (const row of rows[m].keys()) {
        expectEqualLaws(laws.shipped[m][row], laws.plain[m][row]);
        expectEqualLaws(laws.reduced[m][row], laws.plain[m][row]);
      }
    }
    const pair = (of: Distribution[][]) => [of[0], of[1]] as [Distribution[], Distribution[]];
    const dense = rules.topK === undefined && rules.topP === undefined; // each round goes over the vocabulary
    for (let seed = 0; seed < (dense ? rounds / 5 : rounds); seed++) {
      const wanted = decided(pair(laws.plain), seed);
      expect(decided(pair(laws.shipped), seed)).toBe(wanted);
      expect(decided(pair(laws.reduced), seed)).toBe(wanted);
      if (Number(wanted.split(' ')[1]) < rows[0].length - 1) refused++;
    }
  }
  for (const view of views) view.dispose();
  return { refused };
}

beforeAll(openSamplingKernel);

describe('on wasm, the shipped path and the backend’s reductions make the decisions of plain float64 on the same logits', () => {
  it(`the bundled pair along a greedy text: arg-max, sets of tokens, probabilities to 1e-12, 3,400 rounds`, async () => {
    const pair = await openPair(BUNDLED, 'wasm', 'bf16');
    const source = (await heldOutSources())[16];
    const [encoded] = await pair.target.encode([source]);
    const stream = encoded.open();
    const text = [pair.target.startToken];
    while (text.length < 4) {
      const position = text.length - 1;
      const view = await pair.target.forward([{ stream, token: text[position], position, parent: -1 }]);
      text.push((await view.argMax())[0]);
      view.dispose();
    }
    stream.dispose();
    encoded.dispose();
    const { refused } = await expectSameDecisions(await places(pair, source, text), ROUNDS);
    expect(refused).toBeGreaterThan(100);
    await pair.close();
  });

  it('random models of 32,128 tokens: the same, 340 rounds', async () => {
    const backend = await createBackend('wasm', { threads: 1 });
    const config = tinyConfig({ vocabularySize: 32_128, decoderLayers: 1 });
    const load = (seed: number) => loadModel(randomCheckpoint(config, seed), backend);
    const pair = { target: await load(41), draft: await load(42) };
    const { refused } = await expectSameDecisions(await places(pair, [5, 900, 2, 1], [0, 31_000, 7]), ROUNDS / 10);
    expect(refused).toBeGreaterThan(100);
    await backend.dispose();
  });

  it('the comparison fails when one probability is rounded to float32', () => {
    const logits = Float32Array.from({ length: 50 }, (_, token) => Math.sin(token * 7.3) * 4);
    const rough = logits.map((logit) => Math.fround(Math.exp(logit)));
    const total = rough.reduce((sum, weight) => sum + weight, 0);
    const plain = plainLaw(logits, { temperature: 1 });
    const differences = [...rough].map((weight, token) => Math.abs(weight / total - probabilityOf(plain, token)));
    expect(Math.max(...differences)).toBeGreaterThan(1e-12);
  });
});
