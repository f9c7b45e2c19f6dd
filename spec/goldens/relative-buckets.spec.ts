import { readFileSync } from 'node:fs';
import path from 'node:path';
import { biasByDistance, relativeBucket } from '../../engine/bias';

interface Recorded {
  readonly buckets: number;
  readonly maxDistance: number;
  readonly bidirectional: boolean;
  readonly first: number;
  readonly found: readonly number[];
}

const file = path.join(__dirname, '..', 'data', 'goldens', 'relative-buckets.json');
const recorded: Recorded[] = JSON.parse(readFileSync(file, 'utf8'));

describe.each(recorded)('$buckets buckets up to $maxDistance, bidirectional $bidirectional', (rule) => {
  test('every distance from −300 to 300 falls into the bucket that Hugging Face gives it', () => {
    const found = rule.found.map((_, i) => relativeBucket(rule.first + i, rule));
    expect(found).toEqual(rule.found);
  });

  test('the table by distance gives the same bias at every distance', () => {
    const heads = 2;
    const buckets = Float32Array.from({ length: rule.buckets * heads }, (_, i) => i); // [buckets, heads]
    const { table, offset } = biasByDistance(buckets, heads, rule);
    const span = table.length / heads;
    rule.found.forEach((bucket, i) => {
      const distance = rule.first + i;
      if (!rule.bidirectional && distance > 0) return; // a decoder's keys never come after its query
      const at = Math.min(Math.max(distance + offset, 0), span - 1);
      for (let h = 0; h < heads; h++) expect(table[h * span + at]).toBe(bucket * heads + h);
    });
  });
});
