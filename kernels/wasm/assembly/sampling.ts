/**
 * The arithmetic of sampling over a vocabulary, in float64, with the bits of `kernels/sampling`. Nothing here may be fused, and
 * every sum goes over its terms in order: decisions must not depend on who computes them.
 */

/** Constants of e^x; see `kernels/sampling/elementary.ts`. Loaded from memory, as in `exp.ts`. */
const EXP: usize = memory.data<f64>([
  -745.13321910194110842, 1.442695040888963387, 6.9314718036912381649e-1, 1.90821492927058770002e-10,
  1.66666666666666019037e-1, -2.77777777770155933842e-3, 6.61375632143793436117e-5, -1.6533902205465251539e-6,
  4.13813679705723846039e-8, 0.5, 1, 2, -0.3465735912322998, -3.7252902984619140625e-9, 6755399441055744.0,
]);
/** 2⁻¹⁰⁰⁰ as bits. */
const LOWERING: i64 = (1023 - 1000) << 52;
/** The exponent field of 2¹⁰⁰⁰. */
const RAISING: i64 = (1023 + 1000) << 52;

// @ts-ignore: decorator
@inline
function constant(index: usize): v128 {
  return v128.load_splat<f64>(EXP + (index << 3));
}

/** e^x for x ≤ 0, bit for bit as `expFalling`. */
// @ts-ignore: decorator
@inline
function exp(x: v128): v128 {
  const lives = f64x2.ge(x, constant(0));
  const bounded = v128.and(x, lives); // arithmetic with subnormal numbers is slow
  const scaled = f64x2.trunc(f64x2.sub(f64x2.mul(bounded, constant(1)), constant(9)));
  const k = v128.and(scaled, f64x2.le(bounded, constant(12)));
  const high = f64x2.sub(bounded, f64x2.mul(k, constant(2)));
  const low = f64x2.mul(k, constant(3));
  const r = f64x2.sub(high, low);
  const t = f64x2.mul(r, r);
  let p = f64x2.add(constant(7), f64x2.mul(t, constant(8)));
  p = f64x2.add(constant(6), f64x2.mul(t, p));
  p = f64x2.add(constant(5), f64x2.mul(t, p));
  p = f64x2.add(constant(4), f64x2.mul(t, p));
  const c = f64x2.sub(r, f64x2.mul(t, p));
  const part = f64x2.div(f64x2.mul(r, c), f64x2.sub(constant(11), c));
  const y = f64x2.sub(constant(10), f64x2.sub(f64x2.sub(low, part), high));
  // Adding 1.5 · 2⁵² leaves k in the low bits, from where a shift moves it into the exponent.
  const bits = i64x2.shl(f64x2.add(k, constant(14)), 52);
  const power = i64x2.add(bits, i64x2.splat(RAISING));
  const scaledBack = f64x2.mul(f64x2.mul(y, power), i64x2.splat(LOWERING));
  const isTiny = f64x2.gt(bounded, constant(13));
  return v128.and(v128.bitselect(f64x2.add(constant(10), bounded), scaledBack, isTiny), lives);
}

/** Index of the largest of `count` float32 values, the first of equal ones; −1 where one is NaN or +∞, −2 where all are −∞. */
export function largest32(values: usize, count: i32): i32 {
  const end = values + (<usize>count << 2);
  const infinity = f32x4.splat(Infinity);
  let most = f32x4.splat(-Infinity);
  let wrong = f32x4.splat(0);
  for (let at = values; at < end; at += 16) {
    const v = v128.load(at);
    most = f32x4.pmax(most, v);
    wrong = v128.or(wrong, v128.not(f32x4.lt(v, infinity)));
  }
  if (v128.any_true(wrong)) return -1;
  const largest = max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
  if (largest == -Infinity) return -2;
  const wanted = f32x4.splat(largest);
  let at = values;
  while (!v128.any_true(f32x4.eq(v128.load(at), wanted))) at += 16;
  return <i32>((at - values) >> 2) + ctz(i32x4.bitmask(f32x4.eq(v128.load(at), wanted)));
}

/**
 * The largest of each 32 float32 values, −∞ where all are.
 *
 * @param count a multiple of 32
 * @param out float32, [count / 32]
 * @returns −1 where a value is NaN or +∞, 0 elsewhere
 */
export function blockTops(values: usize, count: i32, out: usize): i32 {
  const end = values + (<usize>count << 2);
  const infinity = f32x4.splat(Infinity);
  let wrong = f32x4.splat(0);
  for (let at = values; at < end; at += 128) {
    let most = f32x4.splat(-Infinity);
    for (let i = 0; i < 128; i += 16) {
      const v = v128.load(at + i);
      most = f32x4.pmax(most, v);
      wrong = v128.or(wrong, v128.not(f32x4.lt(v, infinity)));
    }
    most = f32x4.pmax(most, v128.shuffle<i64>(most, most, 1, 0));
    most = f32x4.pmax(most, v128.shuffle<i32>(most, most, 1, 0, 3, 2));
    store<f32>(out, f32x4.extract_lane(most, 0));
    out += 4;
  }
  return v128.any_true(wrong) ? -1 : 0;
}

/** `largest32` of float64 values. */
export function largest64(values: usize, count: i32): i32 {
  let best = -2;
  let most: f64 = -Infinity;
  for (let i = 0; i < count; i++) {
    const value = load<f64>(values + (<usize>i << 3));
    if (!(value < Infinity)) return -1;
    if (value <= most) continue;
    most = value;
    best = i;
  }
  return best;
}

/**
 * values[i] = e^((values[i] − values[best]) / temperature) / Σ, in place.
 *
 * @param values float64, [count rounded up to 2], padded with −∞
 */
export function softmax(values: usize, count: i32, best: i32, temperature: f64): void {
  const largest = v128.load_splat<f64>(values + (<usize>best << 3));
  const end = values + (<usize>count << 3);
  const divisor = f64x2.splat(temperature);
  let total: f64 = 0;
  if (temperature == 1) {
    for (let at = values; at < end; at += 16) {
      const weight = exp(f64x2.sub(v128.load(at), largest));
      v128.store(at, weight);
      total += f64x2.extract_lane(weight, 0);
      total += f64x2.extract_lane(weight, 1);
    }
  } else {
    for (let at = values; at < end; at += 16) {
      const weight = exp(f64x2.div(f64x2.sub(v128.load(at), largest), divisor));
      v128.store(at, weight);
      total += f64x2.extract_lane(weight, 0);
      total += f64x2.extract_lane(weight, 1);
    }
  }
  const sum = f64x2.splat(total);
  for (let at = values; at < end; at += 16) v128.store(at, f64x2.div(v128.load(at), sum));
}

/** Converts float32 values to float64, [count rounded up to 4]. */
export function widen(values: usize, count: i32, out: usize): void {
  const end = values + (<usize>count << 2);
  for (let at = values; at < end; at += 16) {
    const four = v128.load(at);
    v128.store(out, f64x2.promote_low_f32x4(four));
    v128.store(out, f64x2.promote_low_f32x4(v128.shuffle<i64>(four, four, 1, 0)), 16);
    out += 32;
  }
}

const MULTIPLIER_0: u32 = 0xd2511f53;
const MULTIPLIER_1: u32 = 0xcd9e8d57;
/** What the keys grow by in each round. */
const STEP_0: u32 = 0x9e3779b9;
const STEP_1: u32 = 0xbb67ae85;

/** The upper words of the products of four words with a constant. */
// @ts-ignore: decorator
@inline
function upper(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(i64x2.extmul_low_i32x4_u(a, b), i64x2.extmul_high_i32x4_u(a, b), 1, 3, 5, 7);
}

/**
 * Uniform numbers in [0, 1) of 53 bits, out[i] for the counter (first, i, third, fourth), [count rounded up to 8] of float64: Philox
 * 4×32-10, as in `decoding/sampling/random.ts`.
 */
export function uniforms(out: usize, count: i32, first: u32, third: u32, fourth: u32, key0: u32, key1: u32): void {
  const m0 = i32x4.splat(MULTIPLIER_0);
  const m1 = i32x4.splat(MULTIPLIER_1);
  // In the first round both products are the same for all tokens, and in the two rounds after it one of them is.
  const a0 = <u64>first * MULTIPLIER_0;
  const a1 = <u64>third * MULTIPLIER_1;
  const thirdOf1 = <u32>(a0 >> 32) ^ fourth ^ key1;
  const k0 = key0 + STEP_0;
  const k1 = key1 + STEP_1;
  const b1 = <u64>thirdOf1 * MULTIPLIER_1;
  const firstOf2 = <u32>(b1 >> 32) ^ <u32>a1 ^ k0;
  const thirdTail = i32x4.splat(<u32>a0 ^ k1);
  const c0 = <u64>firstOf2 * MULTIPLIER_0;
  const fourthOf3 = i32x4.splat(<u32>c0);
  const firstHead = i32x4.splat(<u32>(a1 >> 32) ^ key0);
  const firstTail = i32x4.splat(<u32>b1 ^ (k0 + STEP_0));
  const upperOf3 = i32x4.splat(<u32>(c0 >> 32) ^ (k1 + STEP_1));
  const scale = f64x2.splat(1.0 / 9007199254740992.0);
  const shift = f64x2.splat(67108864);
  let tokens = v128(0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0);
  const four = i32x4.splat(4);
  const end = out + (<usize>count << 3);
  // Two times four tokens side by side: a round waits for the products of the one before.
  for (let at = out; at < end; at += 64) {
    const firstOf1 = v128.xor(tokens, firstHead);
    tokens = i32x4.add(tokens, four);
    const otherOf1 = v128.xor(tokens, firstHead);
    tokens = i32x4.add(tokens, four);
    const thirdOf2 = v128.xor(upper(firstOf1, m0), thirdTail);
    const otherOf2 = v128.xor(upper(otherOf1, m0), thirdTail);
    let w0 = v128.xor(upper(thirdOf2, m1), firstTail);
    let v0 = v128.xor(upper(otherOf2, m1), firstTail);
    let w1 = i32x4.mul(thirdOf2, m1);
    let v1 = i32x4.mul(otherOf2, m1);
    let w2 = v128.xor(upperOf3, i32x4.mul(firstOf1, m0));
    let v2 = v128.xor(upperOf3, i32x4.mul(otherOf1, m0));
    let w3 = fourthOf3;
    let v3 = fourthOf3;
    let key = key0 + 3 * STEP_0;
    let otherKey = key1 + 3 * STEP_1;
    for (let round = 3; round < 9; round++) {
      const keys = i32x4.splat(key);
      const otherKeys = i32x4.splat(otherKey);
      const w2Next = v128.xor(v128.xor(upper(w0, m0), w3), otherKeys);
      const v2Next = v128.xor(v128.xor(upper(v0, m0), v3), otherKeys);
      w3 = i32x4.mul(w0, m0);
      v3 = i32x4.mul(v0, m0);
      w0 = v128.xor(v128.xor(upper(w2, m1), w1), keys);
      v0 = v128.xor(v128.xor(upper(v2, m1), v1), keys);
      w1 = i32x4.mul(w2, m1);
      v1 = i32x4.mul(v2, m1);
      w2 = w2Next;
      v2 = v2Next;
      key += STEP_0;
      otherKey += STEP_1;
    }
    store4(at, v128.xor(v128.xor(upper(w2, m1), w1), i32x4.splat(key)), i32x4.mul(w2, m1), shift, scale);
    store4(at + 32, v128.xor(v128.xor(upper(v2, m1), v1), i32x4.splat(key)), i32x4.mul(v2, m1), shift, scale);
  }
}

/** Four numbers of 53 bits from the first two words of each. */
// @ts-ignore: decorator
@inline
function store4(at: usize, first: v128, second: v128, shift: v128, scale: v128): void {
  const most = i32x4.shr_u(first, 5);
  const rest = i32x4.shr_u(second, 6);
  store2(at, most, rest, shift, scale);
  store2(at + 16, v128.shuffle<i64>(most, most, 1, 0), v128.shuffle<i64>(rest, rest, 1, 0), shift, scale);
}

// @ts-ignore: decorator
@inline
function store2(at: usize, most: v128, rest: v128, shift: v128, scale: v128): void {
  const whole = f64x2.add(f64x2.mul(f64x2.convert_low_i32x4_u(most), shift), f64x2.convert_low_i32x4_u(rest));
  v128.store(at, f64x2.mul(whole, scale));
}
