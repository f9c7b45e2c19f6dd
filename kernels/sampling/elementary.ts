/**
 * Two elementary functions that decisions depend on, in float64. JavaScript leaves the last bits of `Math.exp` and `Math.log1p` to
 * the engine. These functions use nothing but +, −, ×, ÷ and comparisons, so they have the same bits in every engine, and in
 * WebAssembly (`../wasm/assembly/sampling.ts`). The methods and the coefficients are those of fdlibm (Sun Microsystems 1993),
 * which V8 has as well.
 */

const LN2_HIGH = 0.6931471803691238; // its last 21 bits are 0, so that k · LN2_HIGH is exact
const LN2_LOW = 1.9082149292705877e-10;
const INVERSE_LN2 = Math.LOG2E;
/** Below about ln 2 / 2 nothing is reduced: 0x3FD62E43 00000000. */
const UNREDUCED = 0.3465735912322998;
/** e^x is 0 below it. */
const VANISHES = -745.1332191019411;
const [P1, P2, P3, P4, P5] = [
  0.16666666666666602, -0.0027777777777015593, 0.00006613756321437934, -0.0000016533902205465252, 4.1381367970572385e-8,
];

const SMALLEST_EXPONENT = -1076;
/** 2^(k + 1000) for k from −1076 to 0, by halving and doubling: engines need not compute powers alike. */
const RAISED_POWERS = new Float64Array(1 - SMALLEST_EXPONENT);
RAISED_POWERS[-SMALLEST_EXPONENT - 1000] = 1;
for (let i = -SMALLEST_EXPONENT - 1000; i > 0; i--) RAISED_POWERS[i - 1] = RAISED_POWERS[i] / 2;
for (let i = -SMALLEST_EXPONENT - 1000; i < -SMALLEST_EXPONENT; i++) RAISED_POWERS[i + 1] = RAISED_POWERS[i] * 2;
const LOWERING = 2 ** -1000;

/**
 * e^x for x ≤ 0, with an error below 1 ulp; 0 for −∞.
 *
 * x = k · ln 2 + r with |r| ≤ ln 2 / 2. With t = r² and c = r − t · P(t), e^r = 1 + r + r · c / (2 − c). The result is scaled in two steps,
 * so that it may be subnormal.
 */
export function expFalling(x: number): number {
  if (x < VANISHES) return 0;
  if (x > -(2 ** -28)) return 1 + x;
  const k = x > -UNREDUCED ? 0 : Math.trunc(INVERSE_LN2 * x - 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  const t = r * r;
  const c = r - t * (P1 + t * (P2 + t * (P3 + t * (P4 + t * P5))));
  const y = 1 - (low - (r * c) / (2 - c) - high);
  return y * RAISED_POWERS[k - SMALLEST_EXPONENT] * LOWERING;
}

/** 1 − √½, where the reduction begins: 0x3FD2BEC5 00000000. */
const REDUCED = 0.292893648147583;
/** √2, up to which a number is not halved: 0x3FF6A09E 00000000. */
const ROOT_2 = 1.4142131805419922;
const [L1, L2, L3, L4, L5, L6, L7] = [
  0.6666666666666735, 0.3999999999940942, 0.2857142874366239, 0.22222198432149784, 0.1818357216161805,
  0.15313837699209373, 0.14798198605116586,
];

/**
 * −ln(1 − u) for u in [0, 1) that is a multiple of 2⁻⁵³, with an error below 1 ulp: the exponential number of a uniform one.
 *
 * 1 − u = 2ᵏ · (1 + f) with √½ ≤ 1 + f < √2. With s = f / (2 + f) and z = s², ln(1 + f) = f − f² / 2 + s · (f² / 2 + z · L(z)).
 */
export function exponentialOf(u: number): number {
  if (u < 2 ** -29) return u + u * u * 0.5;
  if (u < REDUCED) {
    const half = 0.5 * u * u;
    return u + (half - quotientTerm(-u, half));
  }
  let k = 0;
  let rest = 1 - u; // exact
  for (; rest < 1; rest *= 2) k--;
  if (rest >= ROOT_2) {
    rest /= 2;
    k++;
  }
  const f = rest - 1;
  if (f === 0) return -(k * LN2_HIGH + k * LN2_LOW);
  const half = 0.5 * f * f;
  if (f > -(2 ** -20) && f < 2 ** -20) {
    const short = half * (1 - 0.6666666666666666 * f);
    return -(k * LN2_HIGH - (short - k * LN2_LOW - f));
  }
  return -(k * LN2_HIGH - (half - (quotientTerm(f, half) + k * LN2_LOW) - f));
}

function quotientTerm(f: number, half: number): number {
  const s = f / (2 + f);
  const z = s * s;
  return s * (half + z * (L1 + z * (L2 + z * (L3 + z * (L4 + z * (L5 + z * (L6 + z * L7)))))));
}
