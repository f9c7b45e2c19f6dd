/**
 * erf and erfc in float64 after the rational approximations that W. J. Cody published (Math. Comp. 23, 1969, p. 631):
 * relative error below 1e-15 over the line. JavaScript's Math has neither.
 */
const SMALL_P = [3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694, 0.18577770618460315];
const SMALL_Q = [23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171];
const MIDDLE_P = [
  0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001, 881.952221241769, 1712.0476126340707,
  2051.0783778260716, 1230.3393547979972, 2.1531153547440383e-8,
];
const MIDDLE_Q = [
  15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597, 4362.619090143247,
  3439.3676741437216, 1230.3393548037495,
];
const LARGE_P = [
  0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275, 0.0006587491615298378,
  0.016315387137302097,
];
const LARGE_Q = [2.568520192289822, 1.8729528499234673, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918];

/** Cody's nested quotient: the last entry of `p` leads, the last entries of both close. */
function quotient(x: number, p: readonly number[], q: readonly number[]): number {
  const last = q.length - 1;
  let above = p[last + 1] * x;
  let below = x;
  for (let i = 0; i < last; i++) {
    above = (above + p[i]) * x;
    below = (below + q[i]) * x;
  }
  return (above + p[last]) / (below + q[last]);
}

/** exp(−y²) without losing the low digits of y². */
function expMinusSquare(y: number): number {
  const coarse = Math.trunc(y * 16) / 16;
  return Math.exp(-coarse * coarse) * Math.exp(-(y - coarse) * (y + coarse));
}

/** The error function. */
export function erf(x: number): number {
  const y = Math.abs(x);
  if (y <= 0.46875) return x * quotient(y * y, SMALL_P, SMALL_Q);
  const value = 1 - erfcBeyond(y);
  return x < 0 ? -value : value;
}

/** 1 − erf(x), accurate where erf is near 1. */
export function erfc(x: number): number {
  const y = Math.abs(x);
  if (y <= 0.46875) return 1 - erf(x);
  const value = erfcBeyond(y);
  return x < 0 ? 2 - value : value;
}

/** erfc for y > 0.46875. */
function erfcBeyond(y: number): number {
  if (Number.isNaN(y)) return y;
  if (y <= 4) return expMinusSquare(y) * quotient(y, MIDDLE_P, MIDDLE_Q);
  if (y >= 26.6) return 0;
  const z = 1 / (y * y);
  const tail = z * quotient(z, LARGE_P, LARGE_Q);
  return (expMinusSquare(y) / y) * (1 / Math.sqrt(Math.PI) - tail);
}
