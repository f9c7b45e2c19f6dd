/**
 * What the probe of wide arithmetic computes: every kernel, on numbers that need no weights and no model. A job is data, so that
 * another process can run it, and its result is a range of the memory.
 */
import {
  ActivationCode,
  ActivationParameter,
  Address,
  AttentionParameter,
  EmbedParameter,
  LogitsParameter,
  MatmulParameter,
  MatrixParameter,
  Operation,
  PackParameter,
  PrepareParameter,
  Size,
  StoredCode,
  WeightCode,
} from '../layout';
import type { WasmLevel } from '../level';

/** A job of a compiled module. */
export interface ProbeJob {
  readonly name: string;
  readonly operation: number;
  readonly chunks: number;
  /** Words of 32 bits to write first: address and value. */
  readonly words: readonly (readonly [at: number, value: number])[];
  /** Jobs that run just before, in the same memory. */
  readonly before: readonly ProbeJob[];
  /** Where the result is: address and bytes. */
  readonly result: readonly [at: number, bytes: number];
}

/** Bytes of memory that the jobs use. */
export const PROBE_BYTES = 1 << 22;

// Where the jobs have their data. Everything between is filled with numbers.
const X = 1 << 16;
const CODES = 1 << 17;
const STEPS = CODES + (1 << 16);
const LISTS = STEPS + (1 << 16);
const WEIGHTS = 1 << 19;
const KEYS = WEIGHTS;
const VALUES = WEIGHTS + (1 << 18);
const PACKED = WEIGHTS + (1 << 17);
/** First and last address of the activation codes, which are numbers from 0 to 127. */
export const PROBE_CODES = [CODES, STEPS] as const;
const SCRATCH = 1 << 21;
const RESULT = 3 << 20;

type Words = Readonly<Record<number, number>>;

function job(name: string, operation: Operation, chunks: number, parameters: Words, bytes: number): ProbeJob {
  const words = Object.entries(parameters).map(([i, value]) => [Address.parameters + Number(i) * 4, value] as const);
  const scratch = [
    [Address.scratch, SCRATCH],
    [Address.scratchStride, 1 << 19],
  ] as const;
  return { name, operation, chunks, words: [...scratch, ...words], before: [], result: [RESULT, bytes] };
}

/**
 * A product with a residual, in tiles for 128 or for 256 bits. The number of outputs is no multiple of a panel, so that the end of
 * a matrix is computed too. Rows and weights in bfloat16 are packed first, because modules for 256 bits have layouts of their own.
 */
function product(type: WeightCode, rows: number, inputs: number): ProbeJob {
  const outputs = 93;
  const isBf16 = type === WeightCode.bf16;
  const matrix = MatmulParameter.firstMatrix;
  const units = Math.ceil(outputs / Size.unitOutputs);
  const parameters = {
    [MatmulParameter.rows]: rows,
    [MatmulParameter.inputs]: inputs,
    [MatmulParameter.floatRows]: X,
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
function dotted(type: WeightCode, rows: number, inSteps: number): ProbeJob {
  const made = product(type, rows, 192);
  const words = [...made.words, [Address.dotInSteps, inSteps] as const];
  return { ...made, name: `${made.name}, dot ${inSteps === 1 ? 'in steps' : 'as one instruction'}`, words };
}

/**
 * Attention of some rows over a common list of keys, without new keys. Each row has one key more than the one before it, save in a
 * tile, whose rows have the same keys.
 */
function attention(rows: number, count: number, tileRows = 0): ProbeJob {
  const [heads, dKv] = [2, 24];
  const list = (i: number) => LISTS + i * 1024;
  const lists = (at: number, length: number, value: (i: number) => number) =>
    Array.from({ length }, (_, i) => [at + i * 4, value(i)] as const);
  const parameters = {
    [AttentionParameter.query]: X,
    [AttentionParameter.freshKeys]: 0,
    [AttentionParameter.freshValues]: 0,
    [AttentionParameter.cacheKeys]: KEYS,
    [AttentionParameter.cacheValues]: VALUES,
    [AttentionParameter.slots]: 64,
    [AttentionParameter.heads]: heads,
    [AttentionParameter.dKv]: dKv,
    [AttentionParameter.rows]: rows,
    [AttentionParameter.write]: 0,
    [AttentionParameter.start]: list(0),
    [AttentionParameter.count]: list(1),
    [AttentionParameter.keys]: list(2),
    [AttentionParameter.position]: list(3),
    [AttentionParameter.bias]: 0,
    [AttentionParameter.span]: 0,
    [AttentionParameter.offset]: 0,
    [AttentionParameter.out]: RESULT,
    [AttentionParameter.rowGroups]: 1,
    [AttentionParameter.scoreStride]: 256,
    [AttentionParameter.appends]: 0,
    [AttentionParameter.places]: 0,
    [AttentionParameter.firstRow]: 0,
    [AttentionParameter.firstHead]: 0,
    [AttentionParameter.tileRows]: tileRows,
  };
  const made = job(
    `attention of ${rows} rows${tileRows > 0 ? ' in a tile' : ''}`,
    Operation.attend,
    heads,
    parameters,
    rows * heads * dKv * 4,
  );
  const words = [
    ...made.words,
    ...lists(list(0), rows, () => 0),
    ...lists(list(1), rows, (i) => (tileRows > 0 ? count : count + i)),
    ...lists(list(2), count + rows, (i) => (i * 7) % 64),
    ...lists(list(3), rows, (i) => i),
  ];
  return { ...made, words };
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

/** Norm and packing of rows, as the products take them. The last inputs are less than a block. */
function preparation(level: WasmLevel, rows: number): ProbeJob {
  const inputs = 72;
  const blocks = (most: number) => Math.ceil(rows / most);
  const codeRows = level === 'simd' ? Size.strictCodeBlockRows : Size.relaxedCodeBlockRows;
  const parameters = {
    [PrepareParameter.rows]: rows,
    [PrepareParameter.inputs]: inputs,
    [PrepareParameter.floatRows]: RESULT,
    [PrepareParameter.codeRows]: RESULT + (1 << 14),
    [PrepareParameter.codeSteps]: RESULT + (1 << 15),
    [PrepareParameter.x]: X,
    [PrepareParameter.gain]: WEIGHTS,
    [PrepareParameter.plainRows]: 0,
    [PrepareParameter.scale]: 0x3f400000, // 0.75
    [PrepareParameter.epsilon]: 0,
    [PrepareParameter.epsilon + 1]: 0,
    [PrepareParameter.floatBlocks]: blocks(Size.floatBlockRows),
    [PrepareParameter.codeBlocks]: blocks(codeRows),
    [PrepareParameter.paddingOffset]: inputs * 4,
  };
  return job(`preparation of ${rows} rows`, Operation.prepare, rows, parameters, 1 << 16);
}

interface Packing {
  readonly type: WeightCode;
  readonly rows: number;
  readonly cols: number;
  readonly to: number;
  readonly stored?: StoredCode;
}

function packing({ type, rows, cols, to, stored = StoredCode.f32 }: Packing): ProbeJob {
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

/** Rows of packed weights, unpacked: bfloat16 has another layout in wide modules, so its packed bytes differ and its rows do not. */
function embedding(type: WeightCode): ProbeJob {
  const [rows, cols] = [13, 71];
  const parameters = {
    [EmbedParameter.ids]: LISTS,
    [EmbedParameter.table]: PACKED,
    [EmbedParameter.type]: type,
    [EmbedParameter.cols]: cols,
    [EmbedParameter.out]: RESULT,
  };
  const made = job(`embedding of type ${type}`, Operation.embed, rows, parameters, rows * cols * 4);
  const ids = Array.from({ length: rows }, (_, i) => [LISTS + i * 4, i] as const);
  return { ...made, words: [...made.words, ...ids], before: [packing({ type, rows, cols, to: PACKED })] };
}

function activation(kind: ActivationCode): ProbeJob {
  const parameters = {
    [ActivationParameter.values]: 204,
    [ActivationParameter.x]: X,
    [ActivationParameter.gated]: WEIGHTS,
    [ActivationParameter.out]: RESULT,
    [ActivationParameter.kind]: kind,
    [ActivationParameter.chunkValues]: 128,
  };
  return job(`activation ${kind}`, Operation.activation, 2, parameters, 204 * 4);
}

function ofLogits(name: string, operation: Operation, bytes: number): ProbeJob {
  const parameters = {
    [LogitsParameter.logits]: X,
    [LogitsParameter.vocabulary]: 5003,
    [LogitsParameter.answers]: RESULT,
    [LogitsParameter.largest]: 0,
    [LogitsParameter.largest + 1]: 0x40000000, // 2
    [LogitsParameter.inverseTemperature]: 0,
    [LogitsParameter.inverseTemperature + 1]: 0x3ff80000, // 1.5
  };
  return job(name, operation, 2, parameters, bytes);
}

/** The jobs of the probe. */
export function probeJobs(level: WasmLevel): ProbeJob[] {
  const types = [WeightCode.f32, WeightCode.bf16, WeightCode.q8, WeightCode.q4];
  return [
    ...types.flatMap((type) => [1, 2, 3, 4, 5, 6, 9, 16].map((rows) => product(type, rows, 192))),
    ...types.flatMap((type) => [1, 2, 7].map((rows) => product(type, rows, 75))),
    ...(level === 'simd'
      ? []
      : [WeightCode.q8, WeightCode.q4].flatMap((type) =>
          [0, 1].flatMap((inSteps) => [1, 2, 3, 4, 5, 6, 9].map((rows) => dotted(type, rows, inSteps))),
        )),
    ...[1, 2, 4, 7].map((rows) => attention(rows, 29)),
    attention(8, 139, 8),
    ...[1, 3, 8].map((rows) => preparation(level, rows)),
    ...[WeightCode.f32, WeightCode.q8, WeightCode.q4].map((type) => packing({ type, rows: 13, cols: 70, to: RESULT })),
    packing({ type: WeightCode.q8, rows: 13, cols: 70, to: RESULT, stored: StoredCode.q8 }),
    packing({ type: WeightCode.q4, rows: 13, cols: 70, to: RESULT, stored: StoredCode.q4 }),
    ...types.map((type) => embedding(type)),
    ...[ActivationCode.relu, ActivationCode.gelu, ActivationCode.gelu_new, ActivationCode.silu].map(activation),
    ofLogits('arg-max', Operation.argMax, 8),
    ofLogits('largest logit', Operation.largest, 2 * Size.partialAnswer),
    ofLogits('exponentials', Operation.exponentials, 2 * Size.partialAnswer),
  ];
}
