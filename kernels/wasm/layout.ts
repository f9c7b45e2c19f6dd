// biome-ignore-all lint/suspicious/noConstEnum: AssemblyScript inlines the values of a const enum only
// biome-ignore-all lint/suspicious/noDuplicateEnumValues: two sizes may be equal
/**
 * What the compiled modules and the TypeScript around them must agree on: numbers of operations and types, the parameters of
 * each operation, addresses in the control block, and sizes of packed data.
 *
 * AssemblyScript and TypeScript both compile this file, so that there is one copy of every number. It holds nothing but
 * `const enum` of whole numbers, which means the same in both languages.
 */

/** What a job computes. `assembly/index.ts` says which function. */
export const enum Operation {
  matmul,
  prepare,
  /** `prepare` for float rows that may be mostly zero. */
  keep,
  /** `prepare` for one row of codes that may be mostly 0. */
  keepCodes,
  attend,
  append,
  activation,
  embed,
  pack,
  argMax,
  largest,
  exponentials,
}

/** Weight types, by the names of `Dtype`. */
export const enum WeightCode {
  f32,
  /** In wide modules in pairs of inputs (`bf16Address` in assembly/pack.ts). */
  bf16,
  q8,
  q4,
}

/** Types in a checkpoint, by the names of `StoredType`. */
export const enum StoredCode {
  f32,
  bf16,
  f16,
  i8,
  q8,
  q4,
}

/** Activations, by the names of `ActivationKind`. */
export const enum ActivationCode {
  relu,
  gelu,
  gelu_new,
  silu,
}

/** Addresses of the control block, in bytes. Words that different threads write lie on cache lines of their own. */
export const enum Address {
  /** i32: chunks of the job that are done. */
  chunksDone = 320,
  /** i32: number of the latest job. Sleeping threads wait on it. */
  generation = 384,
  /** i32: threads that sleep. */
  sleepers = 448,
  /** i32: 1 when the helping threads are to end. */
  stop = 512,
  /** u32: address of the scratch memory of thread 0. */
  scratch = 576,
  /** u32: bytes of scratch memory for each thread. */
  scratchStride = 580,
  /** 16 bytes: the mask of the upper 16 bits of each lane. */
  upperHalves = 640,
  /** 16 bytes: eight ones of 16 bits. */
  ones = 656,
  /** i32: 1 where dots of bytes are computed in steps; see `dot` in assembly/tileQ8.ts. */
  dotInSteps = 672,
  /** i32: a thread that waits polls so many times fewer, as a power of two, before it sleeps. */
  spinShift = 676,
  /** i32: 1 while the first thread sleeps until the last chunk is done. */
  firstThreadSleeps = 704,
  /** i32: memories that there are. Valid in the first memory. */
  bankCount = 768,
  /** i32: the memory whose control block holds the latest job. Valid in the first memory. */
  currentBank = 832,
  /** i32: 1 + the number of a chunk that a helping thread took and could not compute; 0 for none. */
  returnedChunk = 896,
  /** i32: helping threads that failed during a job. */
  failures = 900,
  /** i32: operation of the latest job. */
  operation = 1024,
  /** Parameters of the latest job; see the enums below. */
  parameters = 1032,
  /** One u64 for each thread, 64 bytes apart: the chunks that the thread has not taken yet. */
  tickets = 4096,
}

/** What `serve` returns besides the number of a memory to help in. */
export const enum Serve {
  /** There are memories that this thread does not know yet. */
  needsMemory = -1,
  end = -2,
}

// The parameters of each operation, as indices of 32-bit words. A parameter of 64 bits takes two words.

export const enum MatmulParameter {
  rows,
  inputs,
  /** Address of the packed float rows, or 0. */
  floatRows,
  /** Address of the lists of inputs of the float rows (`assembly/kept.ts`), or of the row of codes (`assembly/keptCodes.ts`); 0 where all are packed. */
  kept,
  /** Address of the packed codes, or 0. */
  codeRows,
  /** Address of the steps and least values of the codes, [rows · blocks, 2], and then of what q4 sums start from; or 0. */
  codeSteps,
  unitsPerChunk,
  units,
  /** Eight words for each matrix start here: see MatrixParameter. */
  firstMatrix,
}

/** Words for each matrix of a product, from the start of the matrix. */
export const enum MatrixParameter {
  weight,
  /** A WeightCode. */
  type,
  outputs,
  out,
  /** Address of the residual, or 0. */
  residual,
  /** Units of this matrix and of all matrices before it. */
  endUnit,
}

export const enum PrepareParameter {
  rows,
  inputs,
  /** Address for the packed float rows, or 0. */
  floatRows,
  /** Address for the packed codes, or 0. */
  codeRows,
  /** Address for the steps and least values of the codes, [rows · blocks, 2], and then for what q4 sums start from; or 0. */
  codeSteps,
  x,
  /** Address of the gain of the norm, or 0 for no norm. */
  gain,
  /** Address for the rows as they are after norm and scale, or 0. */
  plainRows,
  /** f32 */
  scale,
  /** f64 */
  epsilon = 10,
  floatBlocks = 12,
  codeBlocks,
  /** Offset in the scratch memory for the last inputs of a row, padded to a whole block of 32. */
  paddingOffset,
  /** Address for the lists of `keep` and `keepCodes`. */
  kept,
}

/** Parameters of `attend` and of `append`, which uses the words from freshKeys to dKv, and write. */
export const enum AttentionParameter {
  query,
  /** Address of the keys of the rows themselves, or 0. */
  freshKeys,
  freshValues,
  cacheKeys,
  cacheValues,
  slots,
  heads,
  dKv,
  /** End of the rows to compute. */
  rows,
  /** Addresses of the lists of a plan. */
  write,
  start,
  count,
  keys,
  position,
  /** Address of the bias table, or 0. */
  bias,
  span,
  offset,
  out,
  rowGroups,
  /** Scores of one row in the scratch memory: a multiple of 4. */
  scoreStride,
  /** 1 when `attend` also writes the fresh rows to the cache. */
  appends,
  /** Address of the positions of the keys, or 0 where a key's position is its ordinal. */
  places,
  firstRow,
  firstHead,
  /** Rows that are computed together where they have the same list: a multiple of 4, or 0 for none. */
  tileRows,
}

export const enum ActivationParameter {
  values,
  x,
  /** Address of the values to multiply with, or 0. */
  gated,
  out,
  /** An ActivationCode. */
  kind,
  /** Values in a chunk: a multiple of 4. */
  chunkValues,
}

export const enum EmbedParameter {
  ids,
  table,
  /** A WeightCode. */
  type,
  cols,
  out,
}

export const enum PackParameter {
  /** Address of whole rows as the checkpoint has them. */
  source,
  /** A StoredCode. */
  stored,
  rows,
  cols,
  weight,
  /** A WeightCode. */
  type,
  firstRow,
}

/** Parameters of `argMax`, `largest` and `exponentials`. */
export const enum LogitsParameter {
  logits,
  vocabulary,
  /** Address for the answers: one i32 for each row (argMax), or PARTIAL_BYTES for each chunk. */
  answers,
  /** f64: the largest logit of the row. */
  largest = 4,
  /** f64 */
  inverseTemperature = 6,
}

/** Sizes of what jobs read and write. */
export const enum Size {
  /** Keys whose scores a tile of attention computes before it goes on to the next rows: a multiple of 4. */
  tileKeys = 256,
  /** Words that the parameters of a job may take. */
  parameterWords = 256,
  /** Words for each matrix among the parameters of a product. */
  matrixWords = 8,
  /** Bytes of the partial answer of one chunk of a row of logits. */
  partialAnswer = 16,
  /** Vocabulary entries in a chunk of a row of logits. */
  chunkEntries = 4096,
  /** Outputs in a panel of a packed weight. */
  panelOutputs = 8,
  /** Outputs in a unit: four panels, which lie one after the other. The one-row kernel takes a whole unit. */
  unitOutputs = 32,
  /**
   * Bytes of a q8 panel for one block of 32 inputs: 8 scales (f32), 8 sums of codes (i16), and 8 groups of 4 inputs, each 8
   * outputs × 4 codes.
   */
  q8Block = 304,
  /** Offset of the codes in such a block. */
  q8Codes = 48,
  /**
   * Bytes of a q4 panel for one block of 32 inputs: 8 words with a scale (bfloat16) in the upper half and the sum of the codes (i16) in
   * the lower half, and then the codes, each with 8 added. Of two groups of 4 inputs, each 8 outputs × 4 codes, the first group has the
   * lower halves of 32 bytes and the second the upper halves.
   */
  q4Block = 160,
  /** Offset of the codes in such a block. */
  q4Codes = 32,
  /** The most rows in a block of packed float rows. */
  floatBlockRows = 6,
  /** The most rows in a block of packed codes, by level: as many as fit the registers beside the float sums. */
  relaxedCodeBlockRows = 6,
  strictCodeBlockRows = 2,
  /** Bytes of one activation code, by level: a byte for the relaxed dot, a 16-bit word for the strict one. */
  relaxedCode = 1,
  strictCode = 2,
}
