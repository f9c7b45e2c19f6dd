import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../weights';

const MODELS = join(__dirname, '..', '..', 'models');

/** Source ids of `count` held-out passages of the bundled pair, spread over the books. */
export async function heldOut(directory: string, count: number): Promise<number[][]> {
  const all: { source: string }[] = JSON.parse(readFileSync(join(MODELS, 'held-out.json'), 'utf8'));
  const { prefix } = JSON.parse(readFileSync(join(MODELS, 'pair.json'), 'utf8')) as { prefix: string };
  await using checkpoint = await openCheckpoint(directory);
  const tokenizer = await checkpoint.tokenizer();
  const every = Math.max(1, Math.floor(all.length / count));
  return all
    .filter((_, i) => i % every === 0)
    .slice(0, count)
    .map(({ source }) => tokenizer.encode(prefix + source));
}
