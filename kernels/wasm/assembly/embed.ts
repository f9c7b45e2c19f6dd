/**
 * Rows of an embedding table out of their panels.
 *
 * Parameters: 0 ids, 1 table, 2 type, 3 columns, 4 out. A chunk is a row.
 */
import { word } from './control';
import { panelBytes } from './matmul';
import { bf16Offset } from './pack';
import { BF16, F32 } from './tile';
import { Q8_CODES, Q8_PANEL_BLOCK } from './tileQ8';

export function embedRow(row: i32): void {
  const id = load<i32>(<usize>word(0) + (<usize>row << 2));
  const type = <i32>word(2);
  const cols = <i32>word(3);
  const panel = <usize>word(1) + panelBytes(type, cols) * <usize>(id >> 3);
  const lane = <usize>(id & 7);
  const out = <usize>word(4) + (<usize>row * <usize>cols << 2);
  if (type == F32) {
    for (let i: usize = 0; i < <usize>cols; i++) store<u32>(out + (i << 2), load<u32>(panel + (i << 5) + (lane << 2)));
  } else if (type == BF16) {
    for (let i: usize = 0; i < <usize>cols; i++) {
      store<u32>(out + (i << 2), <u32>load<u16>(panel + (i << 4) + bf16Offset(lane)) << 16);
    }
  } else {
    embedQ8(out, panel, lane, <usize>cols);
  }
}

function embedQ8(out: usize, panel: usize, lane: usize, cols: usize): void {
  for (let i: usize = 0; i < cols; i++) {
    const block = panel + (i >> 5) * Q8_PANEL_BLOCK;
    const code = load<i8>(block + Q8_CODES + ((i & 31) >> 2 << 5) + (lane << 2) + (i & 3));
    store<f32>(out + (i << 2), <f32>code * load<f32>(block + (lane << 2)));
  }
}
