/**
 * Measures what a row of logits costs until a token is drawn at temperature 1: `npm run bench -- draw [--vocabularies 4096,32128]
 * [--turns 20]`. Rows look like a model's: a few tokens stand out of a cloud. Ways run in turns, and the median of each counts.
 *
 * - sampled: the softmax and the inverse of the cumulative distribution, as in token verification and without a draft
 * - race by probabilities: the reference of coupled verification, with numbers that are new for the position
 * - race by logits: the same decision as it is made, with new numbers, and with those of a position where the draft raced before
 */
import { parseArgs } from 'node:util';
import { median } from 'simple-statistics';
import { table } from '../../cli/table';
import { seededRandom } from '../../decoding';
import { race, sample } from '../../decoding/sampling/draw';
import { distributionOf } from '../../decoding/sampling/processors';
import { softmaxDistribution } from '../../decoding/sampling/softmax';
import { openSamplingKernel } from '../../kernels';

const ROWS = 8;
const context = { ids: [0], eosTokens: [1] };

/** Runs the bench; returns the number of cases that it measured. */
export async function drawBench(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: { vocabularies: { type: 'string', default: '4096,32128' }, turns: { type: 'string', default: '20' } },
  });
  await openSamplingKernel();
  const lines = values.vocabularies.split(',').map((vocabulary) => measure(Number(vocabulary), Number(values.turns)));
  const names = lines.flatMap(({ times }) => [...times.keys()]).slice(0, lines[0].times.size);
  console.log(
    table(
      ['vocabulary', ...names.map((name) => `${name}, µs`)],
      lines.map(({ vocabulary, times }) => [`${vocabulary}`, ...names.map((name) => medianOf(times, name))]),
    ),
  );
  return lines.length * names.length;
}

function medianOf(times: ReadonlyMap<string, readonly number[]>, name: string): string {
  return median([...(times.get(name) ?? [])]).toFixed(1);
}

/** Microseconds a row of each way, in each turn. */
function measure(vocabulary: number, turns: number) {
  const rows = Array.from({ length: ROWS }, (_, row) => logitsOf(vocabulary, row));
  const times = new Map<string, number[]>();
  const winners = new Map<string, string>();
  for (let turn = 0; turn < turns; turn++) {
    const [reference, shipped] = [seededRandom(turn), seededRandom(turn)];
    const ways: Record<string, (logits: Float32Array, position: number) => number> = {
      sampled: (logits, position) => {
        const address = { ...at(position), round: turn, purpose: 'bonus' as const };
        return sample(softmaxDistribution(logits, 1) ?? empty(), reference, address).token;
      },
      'race by probabilities': (logits, position) =>
        race(distributionOf(logits, context, { temperature: 1 }), reference, at(position)).token,
      'race by logits': (logits, position) =>
        race(softmaxDistribution(logits, 1) ?? empty(), shipped, at(position)).token,
      'the same, known numbers': (logits, position) =>
        race(softmaxDistribution(logits, 1) ?? empty(), shipped, at(position)).token,
    };
    for (const [name, way] of Object.entries(ways)) {
      const started = performance.now();
      const tokens = rows.map(way);
      const each = ((performance.now() - started) * 1000) / ROWS;
      times.set(name, [...(times.get(name) ?? []), each]);
      winners.set(name, tokens.join());
    }
    if (winners.get('race by logits') !== winners.get('race by probabilities')) {
      throw new Error(`${vocabulary} tokens, seed ${turn}: expected the winners of the race by probabilities`);
    }
  }
  return { vocabulary, times };
}

const at = (position: number) => ({ sequence: 'main', position });

function empty(): never {
  throw new Error('expected logits that have a distribution');
}

/** Differences of exponential numbers, about as wide as a model's logits, and thirty tokens above them. */
function logitsOf(vocabulary: number, position: number): Float32Array {
  const { exponential } = seededRandom(11);
  return Float32Array.from({ length: vocabulary }, (_, token) => {
    const [up, down] = ['up', 'down'].map((sequence) => exponential(token, { sequence, position }));
    return 2 * (up - down) + (token % Math.ceil(vocabulary / 30) === position ? 18 : 0);
  });
}
