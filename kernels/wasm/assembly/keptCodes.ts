/**
 * Products of one row of codes that are mostly 0, as a relu leaves them, with q8 weights: only the groups of four inputs of which a code
 * is not 0, with the dot of the relaxed level.
 *
 * Sums of codes are exact, so a group of zeros may be left out. A block that has no other group adds ±0 to each output and is left out as an
 * input is in `kept.ts`, on the same terms: steps are 0 or from 2⁻⁴⁰, scales of weights 0 or from 2⁻⁶⁰, and least values 0. Of a least
 * value 0 the part in `addBlock` is 0 too, so the sums of the weights are not read.
 */
import { Address, PrepareParameter, Size } from '../layout';
import { word } from './control';
import { INFINITE, LEAST_VALUE, notPlain, sizesAt } from './kept';
import { madd, SMALL } from './level';
import { prepareChunk } from './prepare';
import { writeUnit } from './tile';
import { dot } from './tileQ8';

/** One of so many groups may be kept, or more are kept and nothing is left out. */
const KEPT_SHARE: i32 = 4;

/**
 * Packs a row as `prepareChunk` does, and lists its blocks: how many are in the list, or −1 where nothing is left out; of each its place in
 * a panel, its step, the number of its groups, and of each of these its place in the panel and its four codes.
 */
export function keepCodes(): void {
  prepareChunk(0);
  const list = <usize>word(PrepareParameter.kept);
  store<i32>(list, listBlocks(list + 4));
}

function listBlocks(to: usize): i32 {
  const blocks = (<i32>word(PrepareParameter.inputs) + 31) >> 5;
  const most = (blocks << 3) / KEPT_SHARE;
  let codes = <usize>word(PrepareParameter.codeRows);
  let steps = <usize>word(PrepareParameter.codeSteps);
  let kept = 0;
  let listed = 0;
  for (let block = 0; block < blocks; block++, codes += 32, steps += 8) {
    const step = load<i32>(steps);
    if (load<i32>(steps, 4) << 1 || step >= INFINITE || (step > 0 && step < LEAST_VALUE)) return -1;
    const place = block * Size.q8Block;
    let at = to + 12;
    for (let group = 0; group < 8; group++) {
      const four = load<i32>(codes + (<usize>group << 2));
      if (four == 0) continue;
      store<i32>(at, place + Size.q8Codes + (group << 5));
      store<i32>(at, four, 4);
      at += 8;
    }
    const groups = <i32>((at - to - 12) >> 3);
    if (groups == 0) continue;
    store<i32>(to, place);
    store<i32>(to, step, 4);
    store<i32>(to, groups, 8);
    kept += groups;
    if (kept > most) return -1;
    listed++;
    to = at;
  }
  return listed;
}

/** The row by four panels, `panel` bytes apart. */
// @ts-ignore: decorator
@inline
export function keptOfCodes(inSteps: bool, w: usize, panel: usize, list: usize, out: usize, residual: usize, valid: i32): void {
  const ones = v128.load(Address.ones);
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
  let blocks = load<i32>(list);
  for (list += 4; blocks > 0; blocks--) {
    const scales = w + <usize>load<u32>(list);
    const step = v128.load_splat<f32>(list, 4);
    const end = list + 12 + (<usize>load<u32>(list, 8) << 3);
    let i0 = zero, i1 = zero, i2 = zero, i3 = zero;
    let j0 = zero, j1 = zero, j2 = zero, j3 = zero;
    for (list += 12; list < end; list += 8) {
      const s = v128.load_splat<i32>(list, 4);
      const w0 = w + <usize>load<u32>(list);
      const w1 = w0 + panel;
      const w2 = w1 + panel;
      const w3 = w2 + panel;
      i0 = dot(inSteps, v128.load(w0), s, i0, ones); j0 = dot(inSteps, v128.load(w0, 16), s, j0, ones);
      i1 = dot(inSteps, v128.load(w1), s, i1, ones); j1 = dot(inSteps, v128.load(w1, 16), s, j1, ones);
      i2 = dot(inSteps, v128.load(w2), s, i2, ones); j2 = dot(inSteps, v128.load(w2, 16), s, j2, ones);
      i3 = dot(inSteps, v128.load(w3), s, i3, ones); j3 = dot(inSteps, v128.load(w3, 16), s, j3, ones);
    }
    const scales1 = scales + panel;
    const scales2 = scales1 + panel;
    const scales3 = scales2 + panel;
    a0 = addSum(scales, i0, step, a0); b0 = addSum(scales + 16, j0, step, b0);
    a1 = addSum(scales1, i1, step, a1); b1 = addSum(scales1 + 16, j1, step, b1);
    a2 = addSum(scales2, i2, step, a2); b2 = addSum(scales2 + 16, j2, step, b2);
    a3 = addSum(scales3, i3, step, a3); b3 = addSum(scales3 + 16, j3, step, b3);
  }
  writeUnit(a0, b0, a1, b1, a2, b2, a3, b3, out, residual, valid);
}

/** `addBlock` of tileQ8.ts where the least value is 0. */
// @ts-ignore: decorator
@inline
function addSum(scales: usize, total: v128, step: v128, sum: v128): v128 {
  return madd(f32x4.mul(f32x4.convert_i32x4_s(total), step), v128.load(scales), sum);
}

/** Whether each scale of q8 weights, of so many blocks, is 0, or finite and not tiny. Modules that leave nothing out say no. */
export function areScalesPlain(w: usize, blocks: i32): bool {
  if (SMALL || !ASC_FEATURE_RELAXED_SIMD) return false;
  let found = i32x4.splat(0);
  for (; blocks > 0; blocks--, w += Size.q8Block) {
    for (let half: usize = 0; half < 32; half += 16) {
      found = v128.or(found, notPlain(sizesAt(w + half, 16)));
    }
  }
  return !v128.any_true(found);
}
