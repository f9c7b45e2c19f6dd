import type { Tensor, Weight } from '../contract';
import { openLinear } from '../shared/calls';
import { Q8_BLOCK, q8Blocks } from '../shared/q8';
import { blockedSum } from './blockedSum';
import type { GpuWeight } from './boxes';
import type { Program } from './device';
import { PANEL, pieceViews, Q8_WORDS } from './pack';
import { type GpuQueue, type Holder, view } from './queue';
import type { GpuStorage } from './storage';

/**
 * One term of a q8 sum: `code` times x at input `k + offset`. In the last block of a weight that input may not exist. Every
 * step has a name, because gpu.js derives the type of a literal from the expression around it.
 */
function q8Term(code: string, name: string, offset: number, inputs: number): string {
  const at = offset === 0 ? 'k' : `k + ${offset}`;
  const read = `${name} = x[row][${at}];`;
  return `const code_${name} = ${code};
        let ${name} = 0;
        ${inputs % Q8_BLOCK === 0 ? read : `if (${at} < ${inputs}) { ${read} }`}
        part += (code_${name} - 128) * ${name};`;
}

/** Σ over blocks of 32 of scale · Σ code · x. A word holds three codes; the eleventh word of a block holds two. */
function q8Sum(inputs: number): string {
  const words = (last: boolean): string => `const high = Math.floor(word / 65536);
        const rest = word - high * 65536;
        const middle = Math.floor(rest / 256);
        ${q8Term('high', 'a', 0, inputs)}
        ${q8Term('middle', 'b', 1, inputs)}
        ${last ? '' : q8Term('rest - middle * 256', 'c', 2, inputs)}`;
  return `let sum = 0;
    for (let block = 0; block < ${q8Blocks(inputs)}; block++) {
      let part = 0;
      for (let t = 0; t < ${Q8_WORDS - 1}; t++) {
        const k = block * ${Q8_BLOCK} + t * 3;
        const word = words[panel][block * ${Q8_WORDS} + t][lane];
        ${words(false)}
      }
      for (let t = 0; t < 1; t++) {
        const k = block * ${Q8_BLOCK} + ${Q8_BLOCK - 2};
        const word = words[panel][block * ${Q8_WORDS} + ${Q8_WORDS - 1}][lane];
        ${words(true)}
      }
      sum += part * scales[panel][block][lane];
    }`;
}

interface Variant {
  readonly inputs: number;
  readonly q8: boolean;
  readonly residual: boolean;
  /** Whether outputs below `first` are copied from the result of earlier pieces. */
  readonly before: boolean;
}

/** A thread computes one output. Neighbouring threads read neighbouring weights and the same x. */
export function linearProgram({ inputs, q8, residual, before }: Variant): Program {
  const arrays = [
    'x',
    'words',
    ...(q8 ? ['scales'] : []),
    ...(residual ? ['residual'] : []),
    ...(before ? ['before'] : []),
  ];
  return {
    key: `linear ${inputs}${q8 ? ' q8' : ''}${residual ? ' residual' : ''}${before ? ' more' : ''}`,
    args: [...arrays.map(() => 'array' as const), 'int', 'int', 'int'],
    constants: {},
    source: `function (${arrays.join(', ')}, outputs, width, first) {
    const row = quotient(this.thread.x, width);
    const output = this.thread.x - row * width;
    ${before ? 'if (output < first) { return before[row][output]; }' : ''}
    const panel = quotient(output - first, ${PANEL});
    const lane = output - first - panel * ${PANEL};
    ${q8 ? q8Sum(inputs) : blockedSum(inputs, (k) => `x[row][${k}] * words[panel][${k}][lane]`)}
    return ${residual ? 'Math.fround(sum) + residual[row * outputs + output]' : 'sum'};
  }`,
  };
}

/**
 * See reference/linear.ts. Float32 throughout: sums of blocks of 32, then the sum of those. With q8 each block's sum is
 * multiplied by its scale.
 */
export function linear(storage: GpuStorage, out: Tensor, x: Tensor, weight: Weight, residual: Tensor | null): void {
  const call = openLinear(storage, out, x, weight, residual);
  product(storage.queue, call.out, { x: call.x, rows: call.x.rows }, call.weight, call.residual);
}

/** x · weightᵀ (+ residual). One launch for each piece of the weight; each copies the outputs of the pieces before it. */
export function product(
  queue: GpuQueue,
  out: Holder,
  { x, rows }: { readonly x: Holder; readonly rows: number },
  weight: GpuWeight,
  residual: Holder | null,
): void {
  weight.pieces.forEach((piece, i) => {
    const before = i > 0;
    const variant = { inputs: weight.cols, q8: weight.type === 'q8', residual: residual !== null, before };
    queue.produce(
      out,
      () => {
        const arrays = [view(x, weight.cols), ...pieceViews(weight, piece)];
        if (residual !== null) arrays.push(view(residual));
        if (before) arrays.push(view(out, piece.from));
        const sizes = [weight.rows, piece.to, piece.from];
        return queue.device.launch(linearProgram(variant), rows * piece.to, [...arrays, ...sizes]);
      },
      before ? 'old' : 'nothing',
    );
  });
}
