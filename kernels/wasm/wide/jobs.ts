/** What the probe of wide arithmetic computes: every kernel, on numbers that need no weights and no model. */
import {
  ActivationCode,
  ActivationParameter,
  AttentionParameter,
  EmbedParameter,
  LogitsParameter,
  Operation,
  PrepareParameter,
  Size,
  StoredCode,
  WeightCode,
} from '../layout';
import type { WasmLevel } from '../level';
import { job, KEYS, LISTS, PACKED, type ProbeJob, RESULT, VALUES, WEIGHTS, X } from './job';
import { dotted, kept, keptCodes, packing, product } from './productJobs';

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
    ...(level === 'simd' ? [] : [0, 1].flatMap((inSteps) => [192, 75].map((inputs) => keptCodes(inputs, inSteps)))),
    ...[1, 2, 3, 4, 5, 6, 9].map((rows) => kept(rows, 192, 32)),
    ...[1, 7].map((rows) => kept(rows, 75, 4)),
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
