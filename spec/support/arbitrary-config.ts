import fc from 'fast-check';
import type { FeedForward, ModelFamily, T5Config } from '../../weights';
import { tinyConfig } from './random-checkpoint';

const feedForward: fc.Arbitrary<FeedForward> = fc.record({
  kind: fc.constantFrom('relu', 'gelu', 'gelu_new', 'silu'),
  gated: fc.boolean(),
});

/** Small configurations of every family, with every kind of feed-forward layer and head, and sizes that differ from each other. */
export const arbitraryConfig: fc.Arbitrary<T5Config> = fc
  .record({
    family: fc.constantFrom<ModelFamily>('t5', 'mt5', 'umt5'),
    vocabularySize: fc.integer({ min: 5, max: 40 }),
    dModel: fc.integer({ min: 1, max: 20 }),
    dKv: fc.integer({ min: 1, max: 7 }),
    heads: fc.integer({ min: 1, max: 3 }),
    dFf: fc.integer({ min: 1, max: 24 }),
    encoderLayers: fc.integer({ min: 1, max: 3 }),
    decoderLayers: fc.integer({ min: 1, max: 4 }),
    relativeBuckets: fc.integer({ min: 2, max: 8 }).map((half) => 2 * half),
    relativeMaxDistance: fc.integer({ min: 17, max: 140 }),
    epsilon: fc.constantFrom(1e-6, 1e-5, 0.1),
    feedForward,
    scaleHead: fc.boolean(),
    startToken: fc.nat(4),
    eosTokens: fc.uniqueArray(fc.nat(4), { minLength: 1, maxLength: 2 }),
  })
  .map((config) => tinyConfig({ ...config, biasInEveryBlock: config.family === 'umt5' }));
