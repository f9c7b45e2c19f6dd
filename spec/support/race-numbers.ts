import type { RaceNumbers } from '../../decoding/sampling/race';
import { BLOCK } from '../../kernels';

/** These numbers, with bounds of their blocks: the least of a block, or a part of it. */
export function numbersOf(list: readonly number[], part = 1): RaceNumbers {
  const blocks = Math.ceil(list.length / BLOCK);
  const leastOf = (block: number) => Math.min(...list.slice(block * BLOCK, (block + 1) * BLOCK));
  return {
    of: (token) => list[token],
    bounds: Float64Array.from({ length: blocks }, (_, block) => leastOf(block) * part),
  };
}
