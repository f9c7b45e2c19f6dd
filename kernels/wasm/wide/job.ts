/** A job of the probe of wide arithmetic: it is data, so that another process can run it, and its result is a range of the memory. */
import { Address, type Operation } from '../layout';

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
export const X = 1 << 16;
export const CODES = 1 << 17;
export const STEPS = CODES + (1 << 16);
export const LISTS = STEPS + (1 << 16);
export const WEIGHTS = 1 << 19;
export const KEYS = WEIGHTS;
export const VALUES = WEIGHTS + (1 << 18);
export const PACKED = WEIGHTS + (1 << 17);
/** First and last address of the activation codes, which are numbers from 0 to 127. */
export const PROBE_CODES = [CODES, STEPS] as const;
const SCRATCH = 1 << 21;
export const RESULT = 3 << 20;

type Words = Readonly<Record<number, number>>;

/** Parameters of an operation, by their numbers, as words to write. */
export function parameterWords(parameters: Words): ProbeJob['words'] {
  return Object.entries(parameters).map(([i, value]) => [Address.parameters + Number(i) * 4, value] as const);
}

export function job(name: string, operation: Operation, chunks: number, parameters: Words, bytes: number): ProbeJob {
  const scratch = [
    [Address.scratch, SCRATCH],
    [Address.scratchStride, 1 << 19],
  ] as const;
  return {
    name,
    operation,
    chunks,
    words: [...scratch, ...parameterWords(parameters)],
    before: [],
    result: [RESULT, bytes],
  };
}
