/**
 * Which outputs of a product could be its row's largest, given approximations and how far each may be off:
 * |exact − value[o]| ≤ inputs · error[o] + rounding · size[o] (see `../screen.ts`).
 */

/**
 * Marks every unit of 32 outputs that holds a candidate; says whether all figures were finite.
 *
 * @param values approximations, [count]
 * @param errors and sizes of the weight's rows, [count]
 * @param inputs and rounding factors of this row's bound
 * @param units a byte a unit, set to 1 where there is a candidate
 */
export function screen(
  values: usize,
  count: i32,
  errors: usize,
  sizes: usize,
  inputs: f32,
  rounding: f32,
  units: usize,
): bool {
  const byError = f32x4.splat(inputs);
  const bySize = f32x4.splat(rounding);
  const bytes = <usize>count << 2;
  const whole = bytes & ~15;
  let best = f32x4.splat(-Infinity);
  let sum = f32x4.splat(0); // NaN or infinite as soon as one figure is
  for (let at: usize = 0; at < whole; at += 16) {
    const value = v128.load(values + at);
    const bound = f32x4.add(
      f32x4.mul(v128.load(errors + at), byError),
      f32x4.mul(v128.load(sizes + at), bySize),
    );
    best = f32x4.pmax(best, f32x4.sub(value, bound));
    sum = f32x4.add(sum, f32x4.sub(value, value));
    sum = f32x4.add(sum, f32x4.sub(bound, bound));
  }
  let least = max(
    max(f32x4.extract_lane(best, 0), f32x4.extract_lane(best, 1)),
    max(f32x4.extract_lane(best, 2), f32x4.extract_lane(best, 3)),
  );
  let rest: f32 = 0;
  for (let at = whole; at < bytes; at += 4) {
    const value = load<f32>(values + at);
    const bound = load<f32>(errors + at) * inputs + load<f32>(sizes + at) * rounding;
    least = max(least, value - bound);
    rest += value - value + (bound - bound);
  }
  const finite = f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3) + rest;
  if (finite != 0 || least - least != 0) return false;
  const bar = f32x4.splat(least);
  for (let at: usize = 0; at < whole; at += 16) {
    const bound = f32x4.add(
      f32x4.mul(v128.load(errors + at), byError),
      f32x4.mul(v128.load(sizes + at), bySize),
    );
    if (v128.any_true(f32x4.ge(f32x4.add(v128.load(values + at), bound), bar))) store<u8>(units + (at >> 7), 1);
  }
  for (let at = whole; at < bytes; at += 4) {
    const bound = load<f32>(errors + at) * inputs + load<f32>(sizes + at) * rounding;
    if (load<f32>(values + at) + bound >= least) store<u8>(units + (at >> 7), 1);
  }
  return true;
}
