import { DecodingError } from '../../decoding';

/**
 * Stands for γ 'auto' and what it learns, which the site leaves out (`withoutParts` of build/plugins.mjs): its controls always state
 * a number.
 */
export function automaticGamma(): never {
  throw new DecodingError('option-invalid', "gamma: expected a number, found 'auto'");
}

export class PairCosts {}

export class RoundTimer {
  proposed(): void {}
  finished(): void {}
}
