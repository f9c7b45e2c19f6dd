/**
 * Finds the outputs of a product that could be the largest of their row, from approximations and bounds of their errors:
 * |exact − value[o]| ≤ byError · error[o] + bySize · size[o] (see `../screen.ts`).
 */

/** The bounds of four outputs, whose errors and sizes stand at byte `at`. */
// @ts-ignore: decorator
@inline
function boundsAt(at: usize, errors: usize, sizes: usize, byError: v128, bySize: v128): v128 {
  return f32x4.add(f32x4.mul(v128.load(errors + at), byError), f32x4.mul(v128.load(sizes + at), bySize));
}

/** `boundsAt` of one output. */
// @ts-ignore: decorator
@inline
function boundAt(at: usize, errors: usize, sizes: usize, byError: f32, bySize: f32): f32 {
  return load<f32>(errors + at) * byError + load<f32>(sizes + at) * bySize;
}

// @ts-ignore: decorator
@inline
function sumOf(lanes: v128): f32 {
  return f32x4.extract_lane(lanes, 0) + f32x4.extract_lane(lanes, 1) + f32x4.extract_lane(lanes, 2) + f32x4.extract_lane(lanes, 3);
}

// @ts-ignore: decorator
@inline
function largestOf(lanes: v128): f32 {
  return max(
    max(f32x4.extract_lane(lanes, 0), f32x4.extract_lane(lanes, 1)),
    max(f32x4.extract_lane(lanes, 2), f32x4.extract_lane(lanes, 3)),
  );
}

/**
 * Marks every unit of 32 outputs that has such an output. Returns whether all numbers were finite; otherwise nothing is sure.
 *
 * @param values approximations, [count]
 * @param errors of the weight's rows, [count]
 * @param sizes of the weight's rows, [count]
 * @param byErrorOfRow factor of the errors in the bound of this row
 * @param bySizeOfRow factor of the sizes in the bound of this row
 * @param units one byte for each unit; set to 1 where there is a candidate
 */
export function screen(
  values: usize,
  count: i32,
  errors: usize,
  sizes: usize,
  byErrorOfRow: f32,
  bySizeOfRow: f32,
  units: usize,
): bool {
  const byError = f32x4.splat(byErrorOfRow);
  const bySize = f32x4.splat(bySizeOfRow);
  const bytes = <usize>count << 2;
  const whole = bytes & ~15;
  let best = f32x4.splat(-Infinity);
  let sum = f32x4.splat(0); // NaN or infinite as soon as one number is
  for (let at: usize = 0; at < whole; at += 16) {
    const value = v128.load(values + at);
    const bound = boundsAt(at, errors, sizes, byError, bySize);
    best = f32x4.pmax(best, f32x4.sub(value, bound));
    sum = f32x4.add(sum, f32x4.sub(value, value));
    sum = f32x4.add(sum, f32x4.sub(bound, bound));
  }
  let least = largestOf(best);
  let rest: f32 = 0;
  for (let at = whole; at < bytes; at += 4) {
    const value = load<f32>(values + at);
    const bound = boundAt(at, errors, sizes, byErrorOfRow, bySizeOfRow);
    least = max(least, value - bound);
    rest += value - value + (bound - bound);
  }
  const finite = sumOf(sum) + rest;
  if (finite != 0 || least - least != 0) return false;
  const bar = f32x4.splat(least);
  for (let at: usize = 0; at < whole; at += 16) {
    const bound = boundsAt(at, errors, sizes, byError, bySize);
    if (v128.any_true(f32x4.ge(f32x4.add(v128.load(values + at), bound), bar))) store<u8>(units + (at >> 7), 1);
  }
  for (let at = whole; at < bytes; at += 4) {
    const bound = boundAt(at, errors, sizes, byErrorOfRow, bySizeOfRow);
    if (load<f32>(values + at) + bound >= least) store<u8>(units + (at >> 7), 1);
  }
  return true;
}

/**
 * The largest value that an output of each unit of 32 outputs could have: value[o] and its bound. Returns whether all numbers were finite;
 * otherwise nothing is sure.
 *
 * @param values approximations, [count]
 * @param errors of the weight's rows, [count]
 * @param sizes of the weight's rows, [count]
 * @param byErrorOfRow factor of the errors in the bound of this row
 * @param bySizeOfRow factor of the sizes in the bound of this row
 * @param tops float32, [count / 32, rounded up]
 */
export function screenTops(
  values: usize,
  count: i32,
  errors: usize,
  sizes: usize,
  byErrorOfRow: f32,
  bySizeOfRow: f32,
  tops: usize,
): bool {
  const byError = f32x4.splat(byErrorOfRow);
  const bySize = f32x4.splat(bySizeOfRow);
  const bytes = <usize>count << 2;
  let sum = f32x4.splat(0); // NaN or infinite as soon as one number is
  let rest: f32 = 0;
  for (let unit: usize = 0; unit < bytes; unit += 128) {
    const end = min(unit + 128, bytes);
    const whole = end & ~15;
    let best = f32x4.splat(-Infinity);
    for (let at = unit; at < whole; at += 16) {
      const bound = boundsAt(at, errors, sizes, byError, bySize);
      const most = f32x4.add(v128.load(values + at), bound);
      best = f32x4.pmax(best, most);
      sum = f32x4.add(sum, f32x4.sub(most, most));
    }
    let top = largestOf(best);
    for (let at = whole; at < end; at += 4) {
      const most = load<f32>(values + at) + boundAt(at, errors, sizes, byErrorOfRow, bySizeOfRow);
      top = max(top, most);
      rest += most - most;
    }
    store<f32>(tops, top);
    tops += 4;
  }
  return sumOf(sum) + rest == 0;
}
