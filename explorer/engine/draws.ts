import { type Address, type Distribution, seededRandom } from '../../decoding';
import type { ShownDraw, ShownPiece } from '../protocol';

/** A piece of [0, 1) narrower than this is shown together with its neighbours. */
const NARROWEST = 0.015;

/**
 * The number in [0, 1) that belongs to an address. The sampler says only whether it lies below a bound, so this halves the bounds
 * until all 53 bits are known.
 */
export function numberAt(seed: number, at: Address): number {
  const random = seededRandom(seed);
  let low = 0;
  for (let step = 0.5; step >= 2 ** -53; step /= 2) if (!random.accept(low + step, 1, at)) low += step;
  return low;
}

/** How a token was drawn: [0, 1) cut up in the order of the ids, as `inverse` of decoding/sampling/random.ts goes through it. */
export function shownDraw(
  distribution: Distribution,
  id: number,
  number: number | null,
  labelOf: (id: number) => string,
): ShownDraw {
  const pieces: ShownPiece[] = [];
  let from = 0;
  let between = 0; // where the tokens began that are too narrow to be shown
  const closeGap = () => {
    if (from > between) pieces.push({ id: null, label: '', from: between, to: from });
  };
  distribution.probabilities.forEach((probability, i) => {
    const token = distribution.tokens ? distribution.tokens[i] : i;
    if (probability > 0 && (probability >= NARROWEST || token === id)) {
      closeGap();
      pieces.push({ id: token, label: labelOf(token), from, to: from + probability });
      between = from + probability;
    }
    from += probability;
  });
  closeGap();
  return { pieces, number, id, label: labelOf(id) };
}
