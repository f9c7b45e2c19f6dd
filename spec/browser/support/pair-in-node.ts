import path from 'node:path';
import { createWasmBackend, type Dtype, type WasmLevel } from '../../../kernels';
import { openCheckpoint } from '../../../weights';
import { readGolden } from '../../support/goldens';
import { decodePair, type PairAnswer, type PairCase } from '../page/pair';

const MODELS = path.join(__dirname, '..', '..', '..', 'models');

/** A case of the goldens with the tokens that Hugging Face gives. */
export interface PairGolden extends PairCase {
  readonly tokens: readonly number[];
}

/** The sentences of the golden with the shortest answers. */
export function shortestSentences(count: number): PairGolden[] {
  const sentences = readGolden('modernize-target').sentences ?? [];
  const cases = sentences.map(({ source, greedy: { tokens } }) => ({ source, tokens, maxNewTokens: tokens.length }));
  const shortest = cases.sort((a, b) => a.tokens.length - b.tokens.length).slice(0, count);
  if (shortest.length < count) throw new Error(`expected ${count} sentences in the golden, found ${shortest.length}`);
  return shortest;
}

const known = new Map<string, Promise<PairAnswer[]>>();

/** What Node says to the same cases on the wasm backend; computed once for each type and level. */
export function answersOfNode(dtype: Dtype, level: WasmLevel, cases: readonly PairCase[]): Promise<PairAnswer[]> {
  const key = `${dtype} ${level} ${cases.length}`;
  const found = known.get(key) ?? decodeInNode(dtype, level, cases);
  known.set(key, found);
  return found;
}

async function decodeInNode(dtype: Dtype, level: WasmLevel, cases: readonly PairCase[]): Promise<PairAnswer[]> {
  const backend = await createWasmBackend({ level, threads: 2 });
  const answers = await decodePair(backend, (name) => openCheckpoint(path.join(MODELS, name)), { dtype, cases });
  await backend.dispose();
  return answers;
}
