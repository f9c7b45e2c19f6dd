/**
 * gelu(x) = x · Φ(x) in float64. erfc is W. J. Cody's rational approximation (Math. Comp. 23, 1969, p. 631), as in
 * `shared/erf.ts` but with unrolled loops.
 */
import { exp64 } from './exp';

// @ts-ignore: decorator
@inline
function exponential(x: f64): f64 {
  return f64x2.extract_lane(exp64(f64x2.splat(x)), 0);
}

/** x · Φ(x), rounded once to float32. The result at minus infinity is 0. */
export function gelu(x: f32): f32 {
  if (x == -Infinity) return 0;
  const value = <f64>x;
  return <f32>(0.5 * value * erfc(value * -0.7071067811865476));
}

function erfc(x: f64): f64 {
  const y = Math.abs(x);
  if (y != y) return y;
  if (y <= 0.46875) return 1 - x * smallQuotient(y * y);
  const value = y <= 4 ? expMinusSquare(y) * middleQuotient(y) : beyondFour(y);
  return x < 0 ? 2 - value : value;
}

/** exp(−y²), in two factors so that the low digits of y² are not lost. */
function expMinusSquare(y: f64): f64 {
  const coarse = Math.trunc(y * 16) / 16;
  return exponential(-coarse * coarse) * exponential(-(y - coarse) * (y + coarse));
}

function smallQuotient(z: f64): f64 {
  let above = 0.18577770618460315 * z;
  let below = z;
  above = (above + 3.1611237438705655) * z;
  below = (below + 23.601290952344122) * z;
  above = (above + 113.86415415105016) * z;
  below = (below + 244.02463793444417) * z;
  above = (above + 377.485237685302) * z;
  below = (below + 1282.6165260773723) * z;
  return (above + 3209.3775891384694) / (below + 2844.236833439171);
}

function middleQuotient(y: f64): f64 {
  let above = 2.1531153547440383e-8 * y;
  let below = y;
  above = (above + 0.5641884969886701) * y;
  below = (below + 15.744926110709835) * y;
  above = (above + 8.883149794388377) * y;
  below = (below + 117.6939508913125) * y;
  above = (above + 66.11919063714163) * y;
  below = (below + 537.1811018620099) * y;
  above = (above + 298.6351381974001) * y;
  below = (below + 1621.3895745666903) * y;
  above = (above + 881.952221241769) * y;
  below = (below + 3290.7992357334597) * y;
  above = (above + 1712.0476126340707) * y;
  below = (below + 4362.619090143247) * y;
  above = (above + 2051.0783778260716) * y;
  below = (below + 3439.3676741437216) * y;
  return (above + 1230.3393547979972) / (below + 1230.3393548037495);
}

function beyondFour(y: f64): f64 {
  if (y >= 26.6) return 0;
  const z = 1 / (y * y);
  let above = 0.016315387137302097 * z;
  let below = z;
  above = (above + 0.30532663496123236) * z;
  below = (below + 2.568520192289822) * z;
  above = (above + 0.36034489994980445) * z;
  below = (below + 1.8729528499234673) * z;
  above = (above + 0.12578172611122926) * z;
  below = (below + 0.5279051029514285) * z;
  above = (above + 0.016083785148742275) * z;
  below = (below + 0.06051834131244132) * z;
  const tail = (z * (above + 0.0006587491615298378)) / (below + 0.0023352049762686918);
  return (expMinusSquare(y) / y) * (0.5641895835477563 - tail);
}
