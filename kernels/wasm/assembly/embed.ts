/** Copies rows of an embedding table out of their panels. The parameters are `EmbedParameter`; a chunk is a row. */
import { EmbedParameter, Size, WeightCode } from '../layout';
import { word } from './control';
import { panelBytes } from './blocks';
import { bf16Address } from './pack';

export function embedRow(row: i32): void {
  const id = load<i32>(<usize>word(EmbedParameter.ids) + (<usize>row << 2));
  const type = <i32>word(EmbedParameter.type);
  const cols = <i32>word(EmbedParameter.cols);
  const panel = <usize>word(EmbedParameter.table) + panelBytes(type, cols) * <usize>(id >> 3);
  const lane = <usize>(id & 7);
  const out = <usize>word(EmbedParameter.out) + (<usize>row * <usize>cols << 2);
  if (type == WeightCode.f32) {
    for (let i: usize = 0; i < <usize>cols; i++) store<u32>(out + (i << 2), load<u32>(panel + (i << 5) + (lane << 2)));
  } else if (type == WeightCode.bf16) {
    for (let i: usize = 0; i < <usize>cols; i++) {
      store<u32>(out + (i << 2), <u32>load<u16>(bf16Address(panel, lane, i)) << 16);
    }
  } else if (type == WeightCode.q4) {
    embedQ4(out, panel, lane, <usize>cols);
  } else {
    embedQ8(out, panel, lane, <usize>cols);
  }
}

function embedQ8(out: usize, panel: usize, lane: usize, cols: usize): void {
  for (let i: usize = 0; i < cols; i++) {
    const block = panel + (i >> 5) * <usize>Size.q8Block;
    const code = load<i8>(block + Size.q8Codes + ((i & 31) >> 2 << 5) + (lane << 2) + (i & 3));
    store<f32>(out + (i << 2), <f32>code * load<f32>(block + (lane << 2)));
  }
}

/** See `Size.q4Block`. */
function embedQ4(out: usize, panel: usize, lane: usize, cols: usize): void {
  for (let i: usize = 0; i < cols; i++) {
    const block = panel + (i >> 5) * <usize>Size.q4Block;
    const pair = load<u8>(block + Size.q4Codes + ((i & 31) >> 3 << 5) + (lane << 2) + (i & 3));
    const code = <i32>(<u32>pair >> <u32>(i & 4) & 15) - 8;
    store<f32>(out + (i << 2), <f32>code * reinterpret<f32>(load<u32>(block + (lane << 2)) & 0xffff0000));
  }
}
