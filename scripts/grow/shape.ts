import { type T5Config, WeightsError } from '../../weights';

/** Sizes of a T5 that growing can change. */
export interface Shape {
  readonly dModel: number;
  readonly heads: number;
  readonly dKv: number;
  readonly dFf: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  /** Rows of the embedding. */
  readonly vocabularySize: number;
}

const shape = ([dModel, heads, dKv, dFf, layers]: readonly number[]): Shape => ({
  ...{ dModel, heads, dKv, dFf },
  encoderLayers: layers,
  decoderLayers: layers,
  vocabularySize: 32128,
});

/**
 * Shapes of published models: T5 v1.0 (Raffel et al. 2020, table 14; the config.json of t5-small … t5-3b). `xxl` is T5 v1.1's, with a
 * wider feed-forward layer: 3 · 10,240 · 4,096 weights of a gated layer are 2 · 15,360 · 4,096 of one that is not.
 */
export const SHAPES: Readonly<Record<string, Shape>> = {
  small: shape([512, 8, 64, 2048, 6]),
  base: shape([768, 12, 64, 3072, 12]),
  large: shape([1024, 16, 64, 4096, 24]),
  '3b': shape([1024, 32, 128, 16384, 24]),
  xxl: shape([4096, 64, 64, 15360, 24]),
};

/** The order in which a shape is written as numbers. */
const ORDER = ['dModel', 'heads', 'dKv', 'dFf', 'encoderLayers', 'decoderLayers', 'vocabularySize'] as const;

/**
 * Reads a shape: a name of `SHAPES`, or six or seven numbers with commas in the order dModel, heads, dKv, dFf, encoderLayers, decoderLayers,
 * vocabularySize. Without the seventh the vocabulary stays as it is.
 *
 * @throws WeightsError `argument-invalid`
 */
export function parseShape(text: string, source: T5Config): Shape {
  if (Object.hasOwn(SHAPES, text)) return SHAPES[text];
  const numbers = text.split(',').map(Number);
  const isShape = numbers.length === 6 || numbers.length === 7;
  if (!isShape || !numbers.every((size) => Number.isInteger(size) && size > 0)) {
    const expected = `one of ${Object.keys(SHAPES).join(', ')}, or the whole numbers ${ORDER.join(',')}`;
    throw new WeightsError('argument-invalid', `shape: expected ${expected}, found ${JSON.stringify(text)}`);
  }
  const [dModel, heads, dKv, dFf, encoderLayers, decoderLayers, vocabularySize = source.vocabularySize] = numbers;
  return { dModel, heads, dKv, dFf, encoderLayers, decoderLayers, vocabularySize };
}

/** @throws WeightsError `argument-invalid` for a shape that is smaller than the source anywhere */
export function checkShape(name: string, source: T5Config, grown: Shape): void {
  for (const size of ORDER) {
    if (grown[size] >= source[size]) continue;
    const message = `${name}: expected a shape with ${size} from ${source[size]} up, as the checkpoint has, found ${grown[size]}`;
    throw new WeightsError('argument-invalid', message);
  }
}
