import {
  type BeamDrafter,
  type Drafter,
  type DraftName,
  modelDrafter,
  type NgramTable,
  namedDrafter,
} from '../decoding';
import type { T5Model } from '../engine';

/** Drafts that are not models of their own, read before any weight is. */
export type Tables = ReadonlyMap<string, NgramTable>;

/** What names stand for, once the models are there. */
export interface Drafts {
  /** Null where nothing was named. */
  readonly drafter: Drafter | null;
  /** For beam search: the first model or early exit among the names. */
  readonly beamDrafter: BeamDrafter | null;
}

/** Names of checkpoints among drafts. */
export function modelNames(names: readonly DraftName[]): string[] {
  return names.flatMap((name) => (name.kind === 'model' ? [name.name] : []));
}

/** Files of n-gram tables among drafts. */
export function tableFiles(names: readonly DraftName[]): string[] {
  return names.flatMap((name) => (name.kind === 'ngram' && name.file !== null ? [name.file] : []));
}

/** @param models by the names they were asked for */
export async function draftsOf(
  names: readonly DraftName[],
  target: T5Model,
  models: ReadonlyMap<string, T5Model>,
  tables: Tables,
): Promise<Drafts> {
  if (names.length === 0) return { drafter: null, beamDrafter: null };
  const modelOf = (name: string) => models.get(name) as T5Model;
  const drafter = await namedDrafter(names, {
    target,
    table: async (file) => tables.get(file) as NgramTable,
    model: async (name) => modelDrafter(modelOf(name), modelOf(name).name),
  });
  for (const name of names) {
    if (name.kind === 'model') return { drafter, beamDrafter: { model: modelOf(name.name) } };
    if (name.kind === 'layers') return { drafter, beamDrafter: { model: target, layers: name.layers } };
  }
  return { drafter, beamDrafter: null };
}
