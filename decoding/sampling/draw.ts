import { BLOCK } from '../../kernels';
import { DecodingError } from '../errors';
import {
  type Distribution,
  isEmpty,
  isOneHot,
  mostProbableEntries,
  normalised,
  oneHot,
  smallestKeys,
  tokenAt,
} from './distribution';
import { fastestByScores, type RaceNumbers } from './race';
import type { Address, Place, Position, Random } from './random';
import { scoresOf } from './softmax';

declare const drawn: unique symbol;

/**
 * A token with the distribution that it was drawn from. Only the functions of this file make one, so that a draft token
 * without its distribution cannot exist.
 */
export interface Draw {
  readonly token: number;
  readonly distribution: Distribution;
  readonly [drawn]: true;
}

/** Draws a token. @throws DecodingError `no-token-left` when the distribution is empty */
export function sample(distribution: Distribution, random: Random, at: Address): Draw {
  refuseEmpty(distribution, at.position);
  const token = isOneHot(distribution) ? tokenAt(distribution, 0) : random.categorical(distribution, at);
  return { token, distribution } as Draw;
}

/**
 * Draws by a race: token x finishes after E(x) / probability(x), where E(x) is an exponential number that belongs to the
 * position and the token. The first to finish is the draw. This is the Gumbel-max rule in other words. Two distributions
 * that race at one position mostly have the same winner.
 *
 * @throws DecodingError `no-token-left` when the distribution is empty
 */
export function race(distribution: Distribution, random: Random, at: Omit<Position, 'round'>): Draw {
  refuseEmpty(distribution, at.position);
  return raceSeveral(distribution, 1, random, at)[0];
}

/** The first `count` tokens of a race, winner first; fewer when fewer have mass. */
export function raceSeveral(
  distribution: Distribution,
  count: number,
  random: Random,
  at: Omit<Position, 'round'>,
): Draw[] {
  const { tokens, vocabulary } = distribution;
  const numbers = tokens === null && count === 1 ? raceNumbers(random, vocabulary, at) : null;
  if (numbers) {
    const scores = scoresOf(distribution);
    const byScores = scores ? fastestByScores(scores, numbers) : null;
    const token = byScores ?? fastest(distribution.probabilities, numbers);
    return token < 0 ? [] : [{ token, distribution } as Draw];
  }
  const { probabilities } = distribution;
  const time = (i: number): number =>
    probabilities[i] > 0
      ? random.exponential(tokenAt(distribution, i), at) / probabilities[i]
      : Number.POSITIVE_INFINITY;
  const first = smallestKeys(count, probabilities.length, time);
  return first.map((i) => ({ token: tokenAt(distribution, i), distribution }) as Draw);
}

/** The numbers of a race at a place; null where they have no bounds. */
export function raceNumbers(random: Random, vocabulary: number, at: Place): RaceNumbers | null {
  const bounds = random.exponential.bounds?.(vocabulary, at);
  return bounds ? { of: (token) => random.exponential(token, at), bounds } : null;
}

/** A factor below 1 by more than the rounding of a few operations. */
const ROUNDED_DOWN = 1 - 2 ** -48;

/**
 * The winner of a race: what `raceSeveral` finds one token at a time. Few tokens can be faster than the fastest so far by the bounds of
 * their numbers, and only their times are computed.
 */
function fastest(probabilities: Float64Array, numbers: RaceNumbers): number {
  let least = Number.POSITIVE_INFINITY;
  let winner = -1;
  for (let token = 0; token < probabilities.length; token++) {
    const probability = probabilities[token];
    const bound = numbers.bounds[Math.floor(token / BLOCK)] * ROUNDED_DOWN;
    if (bound > least * probability || probability <= 0) continue;
    const time = numbers.of(token) / probability;
    if (time >= least) continue;
    least = time;
    winner = token;
  }
  return winner;
}

/** The `count` most probable tokens, each proposed as certain; of equal ones the lower id comes first. */
export function mostProbable(distribution: Distribution, count: number): Draw[] {
  return mostProbableEntries(distribution, count).map((i) => {
    const token = tokenAt(distribution, i);
    return { token, distribution: oneHot(distribution.vocabulary, token) } as Draw;
  });
}

/**
 * Draws up to `count` different tokens. Each is drawn from the distribution without the tokens before it, and that
 * distribution stays attached to it. There are fewer draws when fewer tokens have mass.
 */
export function sampleWithoutReplacement(
  distribution: Distribution,
  count: number,
  random: Random,
  at: Position,
): Draw[] {
  const draws: Draw[] = [];
  let rest: Distribution | null = isEmpty(distribution) ? null : distribution;
  while (rest && draws.length < count) {
    const draw: Draw = sample(rest, random, { ...siblingAddress(at, draws.length), purpose: 'propose' });
    draws.push(draw);
    rest = draws.length < count ? without(rest, draw.token) : null;
  }
  return draws;
}

/**
 * The address of the numbers that belong to the n-th of several tokens drawn for one position. The first one uses the numbers
 * of a token that is drawn alone.
 */
export function siblingAddress(at: Position, n: number): Position {
  return n === 0 ? at : { ...at, sequence: `${at.sequence}#${n}` };
}

/** The distribution given that the token is not this one; null when no other token has mass. */
function without(distribution: Distribution, token: number): Distribution | null {
  const weights = distribution.probabilities.map((probability, i) =>
    tokenAt(distribution, i) === token ? 0 : probability,
  );
  return normalised(distribution, weights);
}

function refuseEmpty(distribution: Distribution, position: number): void {
  if (!isEmpty(distribution)) return;
  throw new DecodingError('no-token-left', `position ${position}: expected a token to choose, found all forbidden`);
}
