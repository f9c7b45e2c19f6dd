import fc from 'fast-check';
import { biasByDistance, relativeBucket } from '../../engine/bias';

// Buckets of Hugging Face's T5Attention._relative_position_bucket (PyTorch, float32).
const ENCODER_32_128 = { buckets: 32, maxDistance: 128, bidirectional: true };
const DECODER_32_128 = { buckets: 32, maxDistance: 128, bidirectional: false };

describe('relative-position buckets', () => {
  it.each([
    [0, 0],
    [-1, 1],
    [-7, 7],
    [-8, 8],
    [-11, 8],
    [-12, 9],
    [-15, 9],
    [-16, 10],
    [-22, 10],
    [-23, 11],
    [-31, 11],
    [-32, 12],
    [-45, 12],
    [-46, 13],
    [-63, 13],
    [-64, 14],
    [-90, 14],
    [-91, 15],
    [-127, 15],
    [-128, 15],
    [-4000, 15],
    [1, 17],
    [7, 23],
    [8, 24],
    [32, 28],
    [64, 30],
    [127, 31],
    [4000, 31],
  ])('encoder, distance %i falls into bucket %i', (distance, bucket) => {
    expect(relativeBucket(distance, ENCODER_32_128)).toBe(bucket);
  });

  it.each([
    [0, 0],
    [-1, 1],
    [-15, 15],
    [-16, 16],
    [-18, 16],
    [-19, 17],
    [-32, 21],
    [-64, 26],
    [-113, 31],
    [-127, 31],
    [-128, 31],
    [-500, 31],
    [3, 0],
  ])('decoder, distance %i falls into bucket %i', (distance, bucket) => {
    expect(relativeBucket(distance, DECODER_32_128)).toBe(bucket);
  });

  it('give the same bias as the table by distance, at any distance', () => {
    const rule = fc.record({
      buckets: fc.integer({ min: 2, max: 20 }).map((n) => 2 * n),
      maxDistance: fc.integer({ min: 41, max: 300 }),
      bidirectional: fc.boolean(),
    });
    fc.assert(
      fc.property(rule, fc.integer({ min: 1, max: 4 }), fc.integer({ min: -2000, max: 2000 }), (rule, heads, raw) => {
        const distance = rule.bidirectional ? raw : -Math.abs(raw);
        const buckets = Float32Array.from({ length: rule.buckets * heads }, (_, i) => i);
        const { table, offset } = biasByDistance(buckets, heads, rule);
        const span = table.length / heads;
        const at = Math.min(Math.max(distance + offset, 0), span - 1);
        for (let h = 0; h < heads; h++) {
          expect(table[h * span + at]).toBe(buckets[relativeBucket(distance, rule) * heads + h]);
        }
      }),
    );
  });
});
