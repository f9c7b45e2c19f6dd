import { DecodingError, type DraftName, type NgramTable, parseDrafter } from '../decoding';
import { EngineError, loadModel, type T5Model } from '../engine';
import { type Backend, createBackend } from '../kernels';
import { type Checkpoint, firstVocabularyDifference, fromPretrained, type Tokenizer, WeightsError } from '../weights';
import { bundledPair } from './bundled.node';
import { type Drafts, draftsOf, modelNames, tableFiles } from './drafts';
import { readTable } from './tables.node';
import type { LoadOptions } from './types';

/** Everything that decoding needs, resident. */
export interface Loaded extends Drafts {
  readonly backend: Backend;
  readonly target: T5Model;
  /** Models that draft, in the order of their names. */
  readonly drafts: readonly T5Model[];
  /** Null where the target has no tokenizer file: then only ids go in. */
  readonly tokenizer: Tokenizer | null;
  readonly prefix: string;
}

interface Resolved {
  readonly target: string;
  readonly names: readonly DraftName[];
  readonly prefix: string;
}

/** Which checkpoints and drafts, from options and the bundled pair. */
async function resolve({ target, draft, prefix }: LoadOptions): Promise<Resolved> {
  const named = draft == null ? [] : parseDrafter(draft);
  if (target !== undefined) return { target, names: named, prefix: prefix ?? '' };
  const pair = await bundledPair();
  const names: DraftName[] = draft === undefined ? [{ kind: 'model', name: pair.draft }] : named;
  return { target: pair.target, names, prefix: prefix ?? pair.prefix };
}

/**
 * Opens and checks everything before a weight is loaded.
 *
 * @throws WeightsError, KernelError, EngineError; DecodingError `vocabulary-mismatch` or `option-invalid`
 */
export async function load(options: LoadOptions): Promise<Loaded> {
  const { target: name, names, prefix } = await resolve(options);
  const opened: Checkpoint[] = [];
  let backend: Backend | null = null;
  const models: T5Model[] = [];
  try {
    const hub = { ...options.hub, signal: options.signal };
    const tables = new Map<string, NgramTable>();
    for (const file of tableFiles(names)) tables.set(file, await readTable(file));
    opened.push(await fromPretrained(name, hub));
    const drafts = [...new Set(modelNames(names))];
    for (const draft of drafts) opened.push(await fromPretrained(draft, { ...hub, revision: undefined }));
    const tokenizer = await checkedTokenizer(opened);
    backend = await createBackend(options.backend ?? 'auto', { threads: options.threads, level: options.level });
    for (const [model, checkpoint] of opened.entries()) {
      const onProgress = options.onProgress && ((progress: Progress) => options.onProgress?.({ ...progress, model }));
      models.push(await loadModel(checkpoint, backend, { dtype: options.type, signal: options.signal, onProgress }));
    }
    const byName = new Map(drafts.map((draft, i) => [draft, models[1 + i]]));
    const ways = await draftsOf(names, models[0], byName, tables);
    return { backend, target: models[0], drafts: models.slice(1), tokenizer, prefix, ...ways };
  } catch (error) {
    for (const model of models) model.dispose();
    await backend?.dispose();
    throw error;
  } finally {
    for (const checkpoint of opened) await checkpoint.dispose();
  }
}

type Progress = { readonly tensor: string; readonly loaded: number; readonly total: number };

/** The target's tokenizer, after every draft's vocabulary has been held against the target's. */
async function checkedTokenizer([target, ...drafts]: readonly Checkpoint[]): Promise<Tokenizer | null> {
  const tokenizer = await tokenizerOf(target);
  for (const draft of drafts) {
    const other = await tokenizerOf(draft);
    const difference = tokenizer && other ? firstVocabularyDifference(tokenizer, other) : null;
    const [a, b] = [target.config.vocabularySize, draft.config.vocabularySize];
    const found = difference ?? (a === b ? null : `logits over ${a} ids in one, over ${b} in the other`);
    if (found === null) continue;
    throw new DecodingError(
      'vocabulary-mismatch',
      `draft ${draft.name}: expected the vocabulary of the target ${target.name}, found a difference: ${found}`,
    );
  }
  return tokenizer;
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
