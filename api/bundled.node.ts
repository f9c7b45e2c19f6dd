import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundledPair } from './pair';

/** From a source folder and from a bundle in dist/ alike. */
const MODELS = join(__dirname, '..', 'models');

/** The pair in models/, whatever it is: pair.json names it. */
export async function bundledPair(): Promise<BundledPair> {
  const pair = JSON.parse(await readFile(join(MODELS, 'pair.json'), 'utf8')) as BundledPair;
  const { target, draft, heldOut, text } = pair;
  const [a, b, c, d] = [target, draft, heldOut, text].map((name) => join(MODELS, name));
  return { ...pair, target: a, draft: b, heldOut: c, text: d };
}
