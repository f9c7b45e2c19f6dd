/**
 * T5's relative-position bias: distances fall into buckets, exact when small, logarithmic up to a maximum distance, one
 * for everything beyond (Raffel et al. 2020, section 2.1; Hugging Face `T5Attention._relative_position_bucket`).
 */

export interface BucketRule {
  readonly buckets: number;
  readonly maxDistance: number;
  /** Encoder: half of the buckets for keys after the query. Decoder: keys never come after. */
  readonly bidirectional: boolean;
}

/** Bucket of a key at `distance = key position − query position`. */
export function relativeBucket(distance: number, rule: BucketRule): number {
  const buckets = rule.bidirectional ? rule.buckets >> 1 : rule.buckets;
  const side = rule.bidirectional && distance > 0 ? buckets : 0;
  const reach = rule.bidirectional ? Math.abs(distance) : Math.max(-distance, 0);
  const exact = buckets >> 1;
  if (reach < exact) return side + reach;
  // PyTorch does this in float32; a bucket's edge can fall on either side otherwise.
  const ratio = Math.fround(Math.log(Math.fround(reach / exact)));
  const share = Math.fround(ratio / Math.fround(Math.log(rule.maxDistance / exact)));
  const far = exact + Math.trunc(Math.fround(share * (buckets - exact)));
  return side + Math.min(far, buckets - 1);
}

/**
 * Lays a bucket table out by distance, as a backend's `Bias` wants it: `table[h][distance + offset]`, [heads, span].
 * Beyond the maximum distance the bucket no longer changes, so the clamped ends stand for every longer distance.
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
