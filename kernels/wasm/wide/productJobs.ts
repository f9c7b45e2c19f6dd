/** Products that the probe of wide arithmetic computes, and what they take packed. */
import {
  Address,
  MatmulParameter,
  MatrixParameter,
  Operation,
  PackParameter,
  PrepareParameter,
  Size,
  StoredCode,
  WeightCode,
} from '../layout';
import {
  CODES,
  job,
  KEYS,
  LISTS,
  PACKED,
  type ProbeJob,
  parameterWords,
  RESULT,
  STEPS,
  VALUES,
  WEIGHTS,
  X,
} from './job';

/**
 * A product with a residual, in tiles for 128 or for 256 bits. The number of outputs is no multiple of a panel, so that the end of
 * a matrix is computed too. Rows and weights in bfloat16 are packed first, because modules for 256 bits have layouts of their own.
 */
export function product(type: WeightCode, rows: number, inputs: number): ProbeJob {
  const outputs = 93;
  const isBf16 = type === WeightCode.bf16;
  const matrix = MatmulParameter.firstMatrix;
  const units = Math.ceil(outputs / Size.unitOutputs);
  const parameters = {
    [MatmulParameter.rows]: rows,
    [MatmulParameter.inputs]: inputs,
    [MatmulParameter.floatRows]: X,
    [MatmulParameter.kept]: 0,
    [MatmulParameter.codeRows]: CODES,
    [MatmulParameter.codeSteps]: STEPS,
    [MatmulParameter.unitsPerChunk]: 1,
    [MatmulParameter.units]: units,
    [matrix + MatrixParameter.weight]: isBf16 ? PACKED : WEIGHTS,
    [matrix + MatrixParameter.type]: type,
    [matrix + MatrixParameter.outputs]: outputs,
    [matrix + MatrixParameter.out]: RESULT,
    [matrix + MatrixParameter.residual]: VALUES,
    [matrix + MatrixParameter.endUnit]: units,
  };
  const name = `product in ${['float32', 'bf16', 'q8', 'q4'][type]}, ${rows} rows of ${inputs}`;
  const made = job(name, Operation.matmul, units, parameters, rows * outputs * 4);
  if (type === WeightCode.q8) return made;
  if (type === WeightCode.q4) {
    return { ...made, words: [...made.words, ...startsOfSums(rows * Math.ceil(inputs / 32))] };
  }
  const packed = isBf16 ? [packing({ type, rows: outputs, cols: inputs, to: PACKED })] : [];
  return { ...made, before: [rowsPacking(rows, inputs), ...packed] };
}

/** What sums in q4 start from, after the steps (`storeStart` in assembly/tileQ4.ts), for some sum of 32 codes: others may not fit 16 bits. */
function startsOfSums(blocks: number): ProbeJob['words'] {
  return Array.from({ length: blocks }, (_, i) => {
    const half = -4 * ((i * 977) % (32 * 127));
    const at = STEPS + blocks * 8 + i * 8;
    return [[at, (half << 16) | (half & 0xffff)] as const, [at + 4, half * 2] as const];
  }).flat();
}

/** A product in q8 or q4 with the dot in one instruction or in steps, whichever this engine chooses (`dot` in assembly/tileQ8.ts). */
export function dotted(type: WeightCode, rows: number, inSteps: number, inputs = 192): ProbeJob {
  const made = product(type, rows, inputs);
  const words = [...made.words, [Address.dotInSteps, inSteps] as const];
  return { ...made, name: `${made.name}, dot ${inSteps === 1 ? 'in steps' : 'as one instruction'}`, words };
}

/** Where rows that are mostly zero are, and the lists of the inputs that are kept of them. */
const SPARSE = LISTS;
const KEPT = LISTS + (1 << 16);

/** A product in float32 that leaves inputs out: of so many one is not zero in every row, and one in every second row. Of 4 that is too many. */
export function kept(rows: number, inputs: number, every: 4 | 32): ProbeJob {
  const made = product(WeightCode.f32, rows, inputs);
  const isZero = (row: number, input: number) => input % every > 1 || (input % every === 1 && row % 2 === 1);
  const words = [...made.words, ...parameterWords({ [MatmulParameter.kept]: KEPT })];
  return { ...made, name: `sparse ${made.name}`, words, before: [keeping(rows, inputs, isZero)] };
}

/** A product of one row in q8 that leaves groups of inputs out: of 32 inputs three are not zero. */
export function keptCodes(inputs: number, inSteps: number): ProbeJob {
  const made = dotted(WeightCode.q8, 1, inSteps, inputs);
  const words = [...made.words, ...parameterWords({ [MatmulParameter.kept]: KEPT })];
  const before = keeping(1, inputs, (_, input) => input % 32 > 2);
  const codes = parameterWords({
    [PrepareParameter.floatRows]: 0,
    [PrepareParameter.codeRows]: CODES,
    [PrepareParameter.codeSteps]: STEPS,
    [PrepareParameter.codeBlocks]: 1,
    [PrepareParameter.paddingOffset]: inputs * 4,
  });
  return {
    ...made,
    name: `sparse ${made.name}`,
    words,
    before: [{ ...before, operation: Operation.keepCodes, words: [...before.words, ...codes] }],
  };
}

/** Packing of rows that are mostly zero. */
function keeping(rows: number, inputs: number, isZero: (row: number, input: number) => boolean): ProbeJob {
  const made = rowsPacking(rows, inputs);
  const zeros = Array.from({ length: rows * inputs }, (_, i) => i)
    .filter((i) => isZero(Math.floor(i / inputs), i % inputs))
    .map((i) => [SPARSE + i * 4, 0] as const);
  const parameters = parameterWords({ [PrepareParameter.x]: SPARSE, [PrepareParameter.kept]: KEPT });
  const chunks = Math.ceil(rows / Size.floatBlockRows);
  return { ...made, operation: Operation.keep, chunks, words: [...made.words, ...parameters, ...zeros] };
}

/** Packing of rows to where products read them. */
function rowsPacking(rows: number, inputs: number): ProbeJob {
  const parameters = {
    [PrepareParameter.rows]: rows,
    [PrepareParameter.inputs]: inputs,
    [PrepareParameter.floatRows]: X,
    [PrepareParameter.codeRows]: 0,
    [PrepareParameter.codeSteps]: 0,
    [PrepareParameter.x]: KEYS,
    [PrepareParameter.gain]: 0,
    [PrepareParameter.plainRows]: 0,
    [PrepareParameter.scale]: 0x3f800000, // 1
    [PrepareParameter.floatBlocks]: Math.ceil(rows / Size.floatBlockRows),
  };
  return job(`packing of ${rows} rows`, Operation.prepare, rows, parameters, 0);
}

interface Packing {
  readonly type: WeightCode;
  readonly rows: number;
  readonly cols: number;
  readonly to: number;
  readonly stored?: StoredCode;
}

export function packing({ type, rows, cols, to, stored = StoredCode.f32 }: Packing): ProbeJob {
  const parameters = {
    [PackParameter.source]: WEIGHTS,
    [PackParameter.stored]: stored,
    [PackParameter.rows]: rows,
    [PackParameter.cols]: cols,
    [PackParameter.weight]: to,
    [PackParameter.type]: type,
    [PackParameter.firstRow]: 0,
  };
  const panels = Math.ceil(rows / Size.panelOutputs);
  const blocks = Math.ceil(cols / 32);
  const panelBytes = [cols * 32, cols * 16, blocks * Size.q8Block, blocks * Size.q4Block][type];
  return job(`packing of type ${type} from ${stored}`, Operation.pack, panels, parameters, panels * panelBytes);
}
