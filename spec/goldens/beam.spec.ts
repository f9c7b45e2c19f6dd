import { type BeamSearchResult, beamSearch } from '../../decoding/beam';
import type { SequenceModel } from '../../engine';
import type { BackendName } from '../../kernels';
import { BUNDLED, openPair, type Pair } from '../support/equality';
import { type GoldenBeams, goldenCheckpoint, readGolden } from '../support/goldens';

/** Of a score: float32 upstream, its sum of log-probabilities rounded at every step. */
const TOLERANCE = 1e-4;

/** The golden's end of sequence in place of the model's own. */
function ending(model: SequenceModel, eos: number): SequenceModel {
  const { vocabularySize, startToken, padToken } = model;
  return {
    vocabularySize,
    startToken,
    padToken,
    eosTokens: [eos],
    encode: (sources) => model.encode(sources),
    forward: (rows, options) => model.forward(rows, options),
  };
}

type GoldenSettings = GoldenBeams['settings'][number];

/** A difference from Hugging Face in words, or null. */
function difference({ sequences }: BeamSearchResult, golden: GoldenSettings): string | null {
  if (sequences.length !== golden.sequences.length) return `${sequences.length} sequences`;
  for (const [i, { tokens, score }] of golden.sequences.entries()) {
    if (sequences[i].ids.join() !== tokens.join()) return `sequence ${i}: ${sequences[i].ids.join()}, not ${tokens}`;
    const off = Math.abs(sequences[i].score - score);
    if (!(off <= TOLERANCE)) return `score ${i}: ${sequences[i].score}, not ${score}`;
  }
  return null;
}

/** Every setting of the golden, plainly and with a draft; what differs. */
async function differences(pair: Pair, beams: readonly GoldenBeams[]): Promise<string[]> {
  const found: string[] = [];
  for (const { source, eos, maxNewTokens, settings } of beams) {
    const target = ending(pair.target, eos);
    for (const golden of settings) {
      const { beams, lengthPenalty, earlyStopping, sequences } = golden;
      const wanted = { beams, lengthPenalty, earlyStopping, maxNewTokens, sequences: sequences.length };
      const plain = await beamSearch({ target, source, settings: wanted });
      const drafter = { model: pair.draft, width: beams + 1, gamma: 3 };
      const speculative = await beamSearch({ target, source, settings: wanted, drafter });
      const title = `${source.length} ids, ${beams} beams, ${lengthPenalty}, ${earlyStopping}`;
      const off = difference(plain, golden);
      if (off) found.push(`${title}: ${off}`);
      if (JSON.stringify(plain.sequences) !== JSON.stringify(speculative.sequences))
        found.push(`${title}: speculative`);
    }
  }
  return found;
}

describe("beam search finds Hugging Face's sequences (tokens equal, scores within 1e-4), with a draft the same bits", () => {
  const families = ['t5-v1.0', 't5-v1.1', 't5-deep-decoder'];
  const runs: BackendName[] = ['cpu', 'wasm'];

  test.each(runs.flatMap((name) => families.map((family) => ({ name, family }))))(
    '$family on $name',
    async ({ name, family }) => {
      const directory = goldenCheckpoint(family);
      const pair = await openPair({ target: directory, draft: directory }, name, 'f32');
      const golden = readGolden(family).beamSearch ?? [];
      expect(golden.length).toBeGreaterThan(0);
      expect(await differences(pair, golden)).toEqual([]);
      await pair.close();
    },
  );

  test.each([
    { name: 'wasm' as const, passages: 6 },
    { name: 'cpu' as const, passages: 1 },
  ])('modernize-target on $name: $passages held-out passages', async ({ name, passages }) => {
    const pair = await openPair(BUNDLED, name, 'f32');
    const golden = readGolden('modernize-target').beamSearch ?? [];
    expect(golden).toHaveLength(6);
    expect(await differences(pair, golden.slice(0, passages))).toEqual([]);
    await pair.close();
  });
});
