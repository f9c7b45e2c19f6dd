/**
 * T5's relative-position bias (Raffel et al. 2020, section 2.1; Hugging Face `T5Attention._relative_position_bucket`). Each
 * distance between a query and a key belongs to a bucket: a short distance to a bucket of its own, longer ones to buckets that
 * grow logarithmically up to a maximum distance, and every distance beyond it to the last bucket.
 */

export interface BucketRule {
  readonly buckets: number;
  readonly maxDistance: number;
  /** True for the encoder: half of the buckets are for keys after the query. In the decoder no key comes after it. */
  readonly bidirectional: boolean;
}

/** Bucket of a key at `distance = key position − query position`. */
export function relativeBucket(distance: number, rule: BucketRule): number {
  const buckets = rule.bidirectional ? rule.buckets >> 1 : rule.buckets;
  const first = rule.bidirectional && distance > 0 ? buckets : 0;
  const length = rule.bidirectional ? Math.abs(distance) : Math.max(-distance, 0);
  const exact = buckets >> 1; // this many distances have a bucket of their own
  if (length < exact) return first + length;
  // PyTorch computes this in float32. Float64 would put some distances at a bucket's edge into the neighbour.
  const ratio = Math.fround(Math.log(Math.fround(length / exact)));
  const share = Math.fround(ratio / Math.fround(Math.log(rule.maxDistance / exact)));
  const bucket = exact + Math.trunc(Math.fround(share * (buckets - exact)));
  return first + Math.min(bucket, buckets - 1);
}

/**
 * Lays a table of buckets out by distance, as a backend's `Bias` takes it: `table[h][distance + offset]`, [heads, span].
 * Beyond the maximum distance the bucket does not change, so the first and last column stand for every longer distance.
 *
 * @param buckets weight of `relative_attention_bias`, [buckets, heads]
 */
export function biasByDistance(
  buckets: Float32Array,
  heads: number,
  rule: BucketRule,
): { table: Float32Array; offset: number } {
  const offset = rule.maxDistance;
  const span = rule.bidirectional ? 2 * rule.maxDistance + 1 : rule.maxDistance + 1;
  const table = new Float32Array(heads * span); // [heads, span]
  for (let i = 0; i < span; i++) {
    const bucket = relativeBucket(i - offset, rule);
    for (let h = 0; h < heads; h++) table[h * span + i] = buckets[bucket * heads + h];
  }
  return { table, offset };
}
