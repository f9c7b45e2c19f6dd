import type { Distribution, Processing } from '../../decoding';
import { distributionOf } from '../../decoding';
import { probabilityOf } from '../../decoding/sampling/distribution';
import { goldenBytes } from '../support/golden-files.node';
import { seeded } from '../support/random-checkpoint';

/** Settings of some rows, as scripts/goldens/rules.py chose them. */
interface Case {
  readonly eos: readonly number[];
  readonly maxNewTokens: number;
  /** `allow` is [m, r]: allowed are the ids that leave the rest r by m together with the sum of the ids before. */
  readonly settings: Processing & { readonly allow?: readonly [number, number] };
}

const golden: { vocabulary: number; rows: number; cases: readonly Case[] } = JSON.parse(
  new TextDecoder().decode(goldenBytes('rules.json')),
);
const { vocabulary, rows, cases } = golden;
/** Recorded sums are float32. */
const TOLERANCE = 1e-6;

/** Decoder ids, source ids and logits of a row, as scripts/goldens/rules.py makes them. */
function rowOf(seed: number) {
  const draw = seeded(seed);
  const upTo = (count: number) => Math.floor(draw() * count);
  const few = 2 + upTo(8);
  const ids = [0, ...Array.from({ length: upTo(12) }, () => upTo(few))];
  const source = [...Array.from({ length: 3 + upTo(8) }, () => upTo(few)), 1];
  const scale = [1.5, 4, 12][upTo(3)];
  return { ids, source, logits: Array.from({ length: vocabulary }, () => (draw() * 2 - 1) * scale) };
}

/** What a distribution says of a row, in the golden's form. */
interface Outcome {
  readonly kept: readonly number[];
  readonly mean: number;
}

const recorded = readRecorded();

function readRecorded(): Outcome[] {
  const file = goldenBytes('rules.tensors.safetensors');
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  const [kept, mean] = ['kept', 'mean'].map((name) => 8 + length + header[name].data_offsets[0]);
  return Array.from({ length: cases.length * rows }, (_, i) => {
    const bits = view.getUint32(kept + 4 * i, true);
    const tokens = Array.from({ length: vocabulary }, (_, id) => id).filter((id) => (bits >>> id) & 1);
    return { kept: tokens, mean: view.getFloat32(mean + 4 * i, true) };
  });
}

function outcomeOf(distribution: Distribution): Outcome {
  const shares = Array.from({ length: vocabulary }, (_, id) => probabilityOf(distribution, id));
  return {
    kept: [...shares.keys()].filter((id) => shares[id] > 0),
    mean: shares.reduce((sum, share, id) => sum + share * (((id + 1) * 0.6180339887498949) % 1), 0),
  };
}

/** The distribution of row `i` under its settings with changes. */
function distribution(i: number, changes: Partial<Processing> = {}): Distribution {
  const { ids, source, logits } = rowOf(i);
  const { eos, maxNewTokens, settings } = cases[Math.floor(i / rows)];
  const { allow, ...rest } = settings;
  const prefixAllowedTokens = (before: readonly number[]) => {
    const sum = before.reduce((total, id) => total + id, 0);
    const [modulus, remainder] = allow ?? [1, 0];
    return Array.from({ length: vocabulary }, (_, id) => id).filter((id) => (id + sum) % modulus === remainder);
  };
  const processing = { ...rest, ...(allow && { prefixAllowedTokens }), ...changes };
  return distributionOf(logits, { ids, source, eosTokens: eos, maxNewTokens }, processing);
}

const differs = (a: Outcome, b: Outcome) => a.kept.join() !== b.kept.join() || Math.abs(a.mean - b.mean) > TOLERANCE;

describe("combined rules make of 12,000 rows what Hugging Face's processors make of them, in its order", () => {
  test('the tokens that are left are the same, and their probabilities (1e-6 of a sum that depends on each)', () => {
    expect(recorded).toHaveLength(12_000);
    const wrong = recorded.flatMap((expected, i) => {
      const found = outcomeOf(distribution(i));
      return differs(found, expected) ? [{ i, settings: cases[Math.floor(i / rows)].settings, found, expected }] : [];
    });
    expect(wrong.slice(0, 3)).toEqual([]);
  });

  const used = [...new Set(cases.flatMap(({ settings }) => Object.keys(settings)))].filter((name) => name !== 'allow');

  test.each(used.filter((name) => name !== 'renormalizeLogits'))('the comparison fails without %s', (name) => {
    const with_ = recorded.flatMap((_, i) => (name in cases[Math.floor(i / rows)].settings ? [i] : []));
    const changes = { [name]: name === 'temperature' ? 0.9 : undefined };
    const wrong = with_.filter((i) => differs(outcomeOf(distribution(i, changes)), recorded[i]));
    expect(with_.length).toBeGreaterThan(500);
    expect(wrong.length).toBeGreaterThan(20);
  });
});
