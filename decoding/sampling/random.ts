import type { Distribution } from './distribution';

/** What a random number is for. Two uses never share one. */
export type Purpose = 'propose' | 'accept' | 'correct' | 'bonus';

/** The position of a sequence in one round: what every address of a round has in common. */
export interface Position {
  /** Name of the sequence, chosen by the caller. */
  readonly sequence: string;
  readonly round: number;
  /** Index among the decoder ids; the start token has 0. */
  readonly position: number;
}

/**
 * Where a random number belongs. The round is part of the address: to draw the same numbers again at the same position after
 * a rejection would bias block verification and every γ that is chosen from the past.
 */
export interface Address extends Position {
  readonly purpose: Purpose;
}

/** The random choices of decoding. `seededRandom` draws them; an enumerator can walk through every outcome instead. */
export interface Random {
  /** True with probability min(1, weight / of): u · of < weight for u uniform in [0, 1), and so never when weight is 0. */
  accept(weight: number, of: number, at: Address): boolean;
  /** A token of a distribution that is not empty. */
  categorical(distribution: Distribution, at: Address): number;
  /** An exponential number of mean 1 that belongs to a token at a position of a sequence, whatever the round. */
  exponential(token: number, at: Omit<Position, 'round'>): number;
}

const PURPOSES: readonly Purpose[] = ['propose', 'accept', 'correct', 'bonus'];
/** The last counter word of exponential numbers; it differs from the index of every purpose. */
const EXPONENTIAL = 2 ** 31;
const TWO_32 = 2 ** 32;

/**
 * Philox 4×32-10 (Salmon et al. 2011): ten rounds of multiply and swap over a 128-bit counter under a 64-bit key.
 *
 * @param counter four 32-bit words
 * @param key two 32-bit words
 */
export function philox(counter: readonly number[], key: readonly number[]): number[] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = multiply(0xd2511f53, c0);
    const [high1, low1] = multiply(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** The 64-bit product of two 32-bit words, [high, low]. */
function multiply(a: number, b: number): [number, number] {
  const low = Math.imul(a, b) >>> 0;
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = a1 * b0 + Math.floor((a0 * b0) / 65536);
  const cross = (middle % 65536) + a0 * b1;
  return [(a1 * b1 + Math.floor(middle / 65536) + Math.floor(cross / 65536)) >>> 0, low];
}

/** FNV-1a, 32 bits: turns the name of a sequence into a counter word. */
function hash(name: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) value = Math.imul(value ^ name.charCodeAt(i), 0x01000193) >>> 0;
  return value;
}

/** Counter-based randomness: a number depends on the seed and on its address alone, not on what was drawn before. */
export function seededRandom(seed: number): Random {
  const key = [seed >>> 0, Math.floor(seed / TWO_32) >>> 0];
  const bits = (sequence: string, second: number, position: number, last: number): number => {
    const words = philox([hash(sequence), second >>> 0, position >>> 0, last >>> 0], key);
    return ((words[0] >>> 5) * 67108864 + (words[1] >>> 6)) / 9007199254740992; // 53 bits in [0, 1)
  };
  const uniform = ({ sequence, round, position, purpose }: Address): number =>
    bits(sequence, round, position, PURPOSES.indexOf(purpose));
  return {
    accept: (weight, of, at) => uniform(at) * of < weight,
    categorical: (distribution, at) => inverse(distribution, uniform(at)),
    exponential: (token, { sequence, position }) => -Math.log1p(-bits(sequence, token, position, EXPONENTIAL)),
  };
}

/** Inverse of the cumulative distribution. When rounding makes it run off the end, it gives the last token with mass. */
export function inverse(distribution: Distribution, u: number): number {
  const { probabilities, tokens } = distribution;
  let left = u;
  let last = -1;
  for (let i = 0; i < probabilities.length; i++) {
    if (probabilities[i] <= 0) continue;
    last = i;
    if (left < probabilities[i]) break;
    left -= probabilities[i];
  }
  return tokens ? tokens[last] : last;
}
