import { shortened } from '../common';
import {
  type Checkpoint,
  resolveTensors,
  rowOrderName,
  rowScaleName,
  type Statement,
  type T5Config,
  type TensorInfo,
  WeightsError,
} from '../weights';

/** What is known of a checkpoint without its weights. */
export interface Summary {
  readonly name: string;
  readonly family: T5Config['family'];
  readonly config: T5Config;
  readonly metadata: Readonly<Record<string, string>>;
  /** Null: it cannot be loaded. */
  readonly parameters: number | null;
  readonly bytes: number;
  /** What kind of tokenizer there is, or why there is none. */
  readonly tokenizer: string;
  readonly statements: readonly (Omit<Statement, 'value'> & { readonly value: string })[];
  readonly tensors: readonly (Pick<TensorInfo, 'name' | 'shape' | 'bytes' | 'file'> & {
    readonly type: string;
    readonly used: boolean;
  })[];
}

/** Reads what a summary has, and finds what keeps the checkpoint from loading. */
export async function summaryOf(checkpoint: Checkpoint): Promise<{ summary: Summary; problem: WeightsError | null }> {
  const { name, config, metadata } = checkpoint;
  const list = [...checkpoint.tensors.values()];
  const { used, problem } = usedBy(checkpoint);
  const scales = new Set([...used].flatMap((matrix) => [rowScaleName(matrix), rowOrderName(matrix)]));
  const tensors = list.map(({ name, type, packing, shape, bytes, file }) => ({
    ...{ name, type: packing ?? type, shape, bytes, file },
    used: used.has(name) || scales.has(name),
  }));
  const parameters = list.filter((tensor) => used.has(tensor.name)).reduce((sum, tensor) => sum + sizeOf(tensor), 0);
  const stated = (await checkpoint.statements?.()) ?? [];
  const summary = {
    name,
    family: config.family,
    config,
    metadata,
    parameters: problem ? null : parameters,
    bytes: list.reduce((sum, tensor) => sum + tensor.bytes, 0),
    tokenizer: await tokenizerOf(checkpoint),
    statements: stated.map((one) => ({ ...one, value: shortened(JSON.stringify(one.value) ?? 'none', LONGEST_VALUE) })),
    tensors,
  };
  return { summary, problem };
}

/** A file may contain tensors that the engine does not compute with, such as a second copy of the embedding. */
function usedBy(checkpoint: Checkpoint): { used: ReadonlySet<string>; problem: WeightsError | null } {
  try {
    return { used: new Set(resolveTensors(checkpoint).all.map((tensor) => tensor.name)), problem: null };
  } catch (error) {
    if (error instanceof WeightsError) return { used: new Set(), problem: error };
    throw error;
  }
}

async function tokenizerOf(checkpoint: Checkpoint): Promise<string> {
  try {
    const { kind, vocabularySize } = await checkpoint.tokenizer();
    return `${kind}, ${vocabularySize} ids`;
  } catch (error) {
    if (error instanceof WeightsError) return `none: ${error.message}`;
    throw error;
  }
}

/** Longest value of a key that is printed whole: a tokenizer's file can have millions of characters under one. */
const LONGEST_VALUE = 60;

const sizeOf = ({ shape }: TensorInfo) => shape.reduce((product, size) => product * size, 1);
