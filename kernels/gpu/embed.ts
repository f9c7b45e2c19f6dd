import type { Tensor, Weight } from '../contract';
import { openEmbed } from '../shared/calls';
import { Q8_BLOCK } from '../shared/q8';
import type { Program } from './device';
import { PANEL, pieceViews, Q8_WORDS } from './pack';
import { createHolder, view } from './queue';
import type { GpuStorage } from './storage';

/** Decodes a value of a q8 weight: its code is one of the three digits, in base 256, of a word below 2²⁴. */
const DECODE = `    const block = quotient(at, ${Q8_BLOCK});
    const within = at - block * ${Q8_BLOCK};
    const place = quotient(within, 3);
    const word = words[panel][block * ${Q8_WORDS} + place][lane];
    const high = Math.floor(word / 65536);
    const middle = Math.floor((word - high * 65536) / 256);
    let code = high;
    if (within - place * 3 === 1) { code = middle; }
    if (within - place * 3 === 2) { code = word - high * 65536 - middle * 256; }
    return (code - 128) * scales[panel][block][lane];`;

/** The rows of one piece. Rows of other pieces are copied from `before`; without it they are 0. */
function embedProgram(q8: boolean, before: boolean): Program {
  const arrays = ['ids', 'words', ...(q8 ? ['scales'] : []), ...(before ? ['before'] : [])];
  return {
    key: `embed ${q8 ? 'q8' : 'f32'}${before ? ' more' : ''}`,
    args: [...arrays.map(() => 'array' as const), 'int', 'int', 'int'],
    constants: {},
    source: `function (${arrays.join(', ')}, cols, first, last) {
    const row = quotient(this.thread.x, cols);
    const at = this.thread.x - row * cols;
    const id = ids[row];
    if (id < first || id >= last) { return ${before ? 'before[this.thread.x]' : '0'}; }
    const panel = quotient(id - first, ${PANEL});
    const lane = id - first - panel * ${PANEL};
    ${q8 ? DECODE : 'return words[panel][at][lane];'}
  }`,
  };
}

/** See reference/embed.ts. One upload, and one launch for each piece of the table. The bits of f32 and bf16 are exact. */
export function embed(storage: GpuStorage, out: Tensor, table: Weight, ids: Int32Array): void {
  const call = openEmbed(storage, out, table, ids);
  const { out: output, table: weight } = call;
  const { queue } = storage;
  const wanted = createHolder();
  queue.upload(wanted, Float32Array.from(ids));
  weight.pieces.forEach((piece, i) => {
    const more = i > 0;
    queue.produce(
      output,
      () => {
        const arrays = [view(wanted), ...pieceViews(weight, piece), ...(more ? [view(output)] : [])];
        const program = embedProgram(weight.type === 'q8', more);
        return queue.device.launch(program, ids.length * weight.cols, [...arrays, weight.cols, piece.from, piece.to]);
      },
      more ? 'old' : 'nothing',
    );
  });
  queue.drop(wanted);
}
