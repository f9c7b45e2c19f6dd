import { DecodingError } from '../decoding';
import { EngineError, loadModel, type T5Model } from '../engine';
import { type Backend, createBackend } from '../kernels';
import { type Checkpoint, firstVocabularyDifference, fromPretrained, type Tokenizer, WeightsError } from '../weights';
import { bundledPair } from './bundled.node';
import type { LoadOptions } from './types';

/** Everything that decoding needs, resident. */
export interface Loaded {
  readonly backend: Backend;
  readonly target: T5Model;
  readonly draft: T5Model | null;
  /** Null where the target has no tokenizer file: then only ids go in. */
  readonly tokenizer: Tokenizer | null;
  readonly prefix: string;
}

/** Which checkpoints, from options and the bundled pair. */
async function resolve(options: LoadOptions): Promise<{ target: string; draft: string | null; prefix: string }> {
  const { target, draft, prefix } = options;
  if (target !== undefined) return { target, draft: draft ?? null, prefix: prefix ?? '' };
  const pair = await bundledPair();
  return { target: pair.target, draft: draft === undefined ? pair.draft : draft, prefix: prefix ?? pair.prefix };
}

/**
 * Opens and checks everything before a weight is loaded.
 *
 * @throws WeightsError, KernelError, EngineError; DecodingError `vocabulary-mismatch`
 */
export async function load(options: LoadOptions): Promise<Loaded> {
  const names = await resolve(options);
  const opened: Checkpoint[] = [];
  let backend: Backend | null = null;
  const models: T5Model[] = [];
  try {
    const hub = { ...options.hub, signal: options.signal };
    opened.push(await fromPretrained(names.target, hub));
    if (names.draft !== null) opened.push(await fromPretrained(names.draft, { ...hub, revision: undefined }));
    const tokenizer = await checkedTokenizer(opened[0], opened[1]);
    backend = await createBackend(options.backend ?? 'auto', { threads: options.threads, level: options.level });
    for (const [model, checkpoint] of opened.entries()) {
      const onProgress =
        options.onProgress && ((progress: Progress) => options.onProgress?.({ ...progress, model: model as 0 | 1 }));
      models.push(await loadModel(checkpoint, backend, { type: options.type, signal: options.signal, onProgress }));
    }
    return { backend, target: models[0], draft: models[1] ?? null, tokenizer, prefix: names.prefix };
  } catch (error) {
    for (const model of models) model.release();
    await backend?.dispose();
    throw error;
  } finally {
    for (const checkpoint of opened) await checkpoint.close();
  }
}

type Progress = { readonly tensor: string; readonly loaded: number; readonly total: number };

async function checkedTokenizer(target: Checkpoint, draft: Checkpoint | undefined): Promise<Tokenizer | null> {
  const tokenizer = await tokenizerOf(target);
  if (draft === undefined) return tokenizer;
  const other = await tokenizerOf(draft);
  const difference = tokenizer && other ? firstVocabularyDifference(tokenizer, other) : null;
  const [a, b] = [target.config.vocabularySize, draft.config.vocabularySize];
  const found = difference ?? (a === b ? null : `logits over ${a} ids in one, over ${b} in the other`);
  if (found === null) return tokenizer;
  throw new DecodingError(
    'vocabulary-mismatch',
    `draft ${draft.name}: expected the vocabulary of the target ${target.name}, found a difference: ${found}`,
  );
}

/** The tokenizer, or null where there is no file of one; a broken file is an error all the same. */
async function tokenizerOf(checkpoint: Checkpoint): Promise<Tokenizer | null> {
  try {
    return await checkpoint.tokenizer();
  } catch (error) {
    if (error instanceof WeightsError && error.code === 'not-found') return null;
    throw error;
  }
}

/** Ids of an input: text after the prefix, or ids as they are. */
export function sourceIds(loaded: Loaded, input: string | readonly number[]): number[] {
  if (typeof input !== 'string') return [...input];
  if (loaded.tokenizer === null) {
    throw new WeightsError(
      'tokenizer-invalid',
      `${loaded.target.name}: expected a tokenizer file for text, found none`,
    );
  }
  const ids = loaded.tokenizer.encode(loaded.prefix + input);
  if (ids.length <= 1) {
    // nothing but EOS
    throw new EngineError('source-invalid', 'text: expected at least one token, found none');
  }
  return ids;
}
