/** Sizes and places of panels and of blocks of rows. */
import { Size, WeightCode } from '../layout';
import { WIDE } from './level';

/** Number of row blocks for `rows` rows. */
// @ts-ignore: decorator
@inline
export function blocksOf(rows: i32, most: i32): i32 {
  return (rows + most - 1) / most;
}

/** First row of block `index` of `count`, when the blocks are as even as possible. */
// @ts-ignore: decorator
@inline
export function blockStart(rows: i32, count: i32, index: i32): i32 {
  return <i32>((<i64>rows * index) / count);
}

/** Inputs of packed float rows: an even number in wide modules, where bfloat16 weights come in pairs of inputs. */
// @ts-ignore: decorator
@inline
export function evenInputs(inputs: i32): usize {
  return WIDE ? <usize>((inputs + 1) & ~1) : <usize>inputs;
}

/** Bytes of a panel. */
// @ts-ignore: decorator
@inline
export function panelBytes(type: i32, inputs: i32): usize {
  if (type == WeightCode.f32) return <usize>inputs << 5;
  if (type == WeightCode.bf16) return evenInputs(inputs) << 4;
  return <usize>((inputs + 31) >> 5) * <usize>(type == WeightCode.q8 ? Size.q8Block : Size.q4Block);
}

/** A pointer moved by some bytes; 0 stays 0. */
// @ts-ignore: decorator
@inline
export function shifted(pointer: usize, bytes: usize): usize {
  return select(pointer + bytes, pointer, pointer != 0);
}

/**
 * Bytes that one row block prefetches at a time, when `count` row blocks together prefetch the next weights. With more than
 * eight blocks arithmetic is the limit, and nothing is prefetched.
 */
// @ts-ignore: decorator
@inline
export function prefetchBytes(bytes: i32, count: i32): usize {
  return count > 8 ? 0 : <usize>(bytes / count);
}
