import { BLOCK, exponentialOf, samplingKernel } from '../../kernels';
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
  readonly exponential: ExponentialNumbers;
}

/** A position of a sequence, whatever the round. */
export type Place = Omit<Position, 'round'>;

export interface ExponentialNumbers {
  /** An exponential number of mean 1 that belongs to a token at a place. */
  (token: number, at: Place): number;
  /** Lower bounds of the numbers at a place. Numbers that know none do not have it. */
  readonly bounds?: (vocabulary: number, at: Place) => Float64Array;
}

const PURPOSES: readonly Purpose[] = ['propose', 'accept', 'correct', 'bonus'];
/** The last counter words of exponential numbers, of a block and of a token; they differ from the index of every purpose. */
const OF_BLOCK = 2 ** 31;
const OF_TOKEN = 2 ** 31 + 1;
const TWO_32 = 2 ** 32;

/** The four words of the last `philox`. A race calls it once for each token of the vocabulary, so it allocates nothing. */
const words = new Uint32Array(4);

/**
 * Philox 4×32-10 (Salmon et al. 2011): ten rounds of multiply and swap over a 128-bit counter under a 64-bit key.
 *
 * @param counter four 32-bit words
 * @param key two 32-bit words
 * @returns four 32-bit words, which are valid until the next call
 */
export function philox(counter: Words, key: Words): Readonly<Uint32Array> {
  let c0 = counter[0];
  let c1 = counter[1];
  let c2 = counter[2];
  let c3 = counter[3];
  let k0 = key[0];
  let k1 = key[1];
  for (let round = 0; round < 10; round++) {
    const high0 = highProduct(0xd251, 0x1f53, c0);
    const high1 = highProduct(0xcd9e, 0x8d57, c2);
    const low0 = Math.imul(0xd2511f53, c0);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
  return words;
}

type Words = ArrayLike<number>;

/** The upper 32 bits of the 64-bit product of a constant, given as two halves of 16 bits, and a 32-bit word. */
function highProduct(a1: number, a0: number, b: number): number {
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = (Math.imul(a1, b0) + (Math.imul(a0, b0) >>> 16)) | 0; // below 2^32, as an unsigned word
  const cross = (Math.imul(a0, b1) + (middle & 0xffff)) | 0;
  return (Math.imul(a1, b1) + (middle >>> 16) + (cross >>> 16)) | 0;
}

/** FNV-1a, 32 bits: turns the name of a sequence into a counter word. */
function hash(name: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) value = Math.imul(value ^ name.charCodeAt(i), 0x01000193) >>> 0;
  return value;
}

/** Counter-based randomness: a number depends on the seed and on its address alone, not on what was drawn before. */
export function seededRandom(seed: number): Random {
  const key: readonly [number, number] = [seed >>> 0, Math.floor(seed / TWO_32) >>> 0];
  const counter = new Uint32Array(4);
  let hashedName: string | null = null;
  const bits = (sequence: string, second: number, position: number, last: number): number => {
    if (sequence !== hashedName) {
      counter[0] = hash(sequence);
      hashedName = sequence;
    }
    counter[1] = second;
    counter[2] = position;
    counter[3] = last;
    philox(counter, key);
    return ((words[0] >>> 5) * 67108864 + (words[1] >>> 6)) / 9007199254740992; // 53 bits in [0, 1)
  };
  const uniform = ({ sequence, round, position, purpose }: Address): number =>
    bits(sequence, round, position, PURPOSES.indexOf(purpose));
  return {
    accept: (weight, of, at) => uniform(at) * of < weight,
    categorical: (distribution, at) => inverse(distribution, uniform(at)),
    exponential: exponentialNumbers(key, bits),
  };
}

/** Bytes of bounds that one run keeps. */
const KEPT_BYTES = 2 ** 20;

/**
 * Exponential numbers, `BLOCK` tokens at a time: first the least of a block and the token that it belongs to, and then, only for
 * tokens that are asked for, what another number is above it. The least of n numbers of mean 1 has the mean 1 / n and belongs
 * to each of them equally often, and what the others are above it is exponential again with mean 1. So the numbers are
 * independent, as if each were drawn alone, and a race draws one for 32 tokens. A last block that is not full has the numbers
 * of tokens that do not exist as well.
 */
function exponentialNumbers(
  key: readonly [number, number],
  bits: (sequence: string, second: number, position: number, last: number) => number,
): ExponentialNumbers {
  let last = { sequence: '', position: -1, block: -1, first: 0, least: 0 };
  const kept = new Map<string, Float64Array>();
  const numberOf = (token: number, { sequence, position }: Place): number => {
    const block = Math.floor(token / BLOCK);
    if (block !== last.block || position !== last.position || sequence !== last.sequence) {
      const least = exponentialOf(bits(sequence, block, position, OF_BLOCK)) / BLOCK;
      const first = block * BLOCK + (words[0] & (BLOCK - 1)); // by bits that the number does not contain
      last = { sequence, position, block, first, least };
    }
    if (token === last.first) return last.least;
    return last.least + exponentialOf(bits(sequence, token, position, OF_TOKEN));
  };
  const bounds = (vocabulary: number, { sequence, position }: Place): Float64Array => {
    const name = `${position}/${sequence}`;
    const count = Math.ceil(vocabulary / BLOCK);
    let found = kept.get(name);
    if (found?.length === count) return found;
    const row = { first: hash(sequence), third: position, fourth: OF_BLOCK, key };
    found =
      samplingKernel()?.uniforms(count, row) ??
      Float64Array.from({ length: count }, (_, i) => bits(sequence, i, position, OF_BLOCK));
    for (let i = 0; i < count; i++) found[i] /= BLOCK; // −ln(1 − u) is at least u
    kept.set(name, found);
    if (kept.size > 1 && kept.size * found.byteLength > KEPT_BYTES) kept.delete(kept.keys().next().value ?? name);
    return found;
  };
  return Object.assign(numberOf, { bounds });
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
