import type { Tensor, Weight } from '../contract';
import { openEmbed } from '../shared/calls';
import { Q8_BLOCK } from '../shared/q8';
import type { GpuTensor, GpuWeight, Piece } from './boxes';
import type { Program } from './device';
import { PANEL, Q8_WORDS, rowWords } from './pack';
import { holder, view } from './queue';
import type { GpuStorage } from './storage';

/** A value of a q8 weight from its word: a digit in base 256 of a whole number below 2²⁴. */
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

/** Rows of one piece; ids of other pieces keep what is in `before`, or 0. */
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

/** See reference/embed.ts. One upload, and a launch for each piece of the table. Exact. */
export function embed(storage: GpuStorage, out: Tensor, table: Weight, ids: Int32Array): void {
  const call = openEmbed(storage, out, table, ids);
  const box = call.out as GpuTensor;
  const weight = call.table as GpuWeight;
  const { queue } = storage;
  const wanted = holder();
  queue.upload(wanted, Float32Array.from(ids));
  weight.pieces.forEach((piece, i) => {
    const more = i > 0;
    queue.produce(
      box,
      () => {
        const arrays = [view(wanted), ...pieceViews(weight, piece), ...(more ? [view(box)] : [])];
        const program = embedProgram(weight.type === 'q8', more);
        return queue.device.launch(program, ids.length * weight.cols, [...arrays, weight.cols, piece.from, piece.to]);
      },
      more ? 'old' : 'nothing',
    );
  });
  queue.drop(wanted);
}

/** A piece's arrays as kernels take them. */
export function pieceViews(weight: GpuWeight, piece: Piece) {
  const row = rowWords(weight.cols, weight.type);
  const words = view(piece.words, PANEL, row.words);
  return weight.type === 'q8' ? [words, view(piece.scales, PANEL, row.scales)] : [words];
}
