import type { SequenceModel } from '../../engine';
import { DecodingError } from '../errors';
import { copyDrafter } from './copy';
import type { Drafter } from './drafter';
import { firstOf } from './first-of';
import { earlyExitDrafter } from './model';
import { type NgramTable, ngramDrafter } from './ngram';
import { randomDrafter } from './random';

/** One draft, as named on a command line. */
export type DraftName =
  | { readonly kind: 'copy' }
  | { readonly kind: 'random' }
  /** Without a file, learned from the output alone. */
  | { readonly kind: 'ngram'; readonly file: string | null }
  | { readonly kind: 'layers'; readonly layers: number }
  /** A checkpoint: whatever is none of the above. */
  | { readonly kind: 'model'; readonly name: string };

/**
 * Reads `copy`, `random`, `ngram`, `ngram:FILE`, `layers:N` or the name of a model; several, with commas between, are tried in
 * turn. `model:NAME` is a model whatever its name.
 *
 * @throws DecodingError `option-invalid`
 */
export function parseDrafter(text: string): DraftName[] {
  return text.split(',').map((part) => parseOne(part.trim()));
}

function parseOne(text: string): DraftName {
  const colon = text.indexOf(':');
  const kind = colon < 0 ? text : text.slice(0, colon);
  const rest = colon < 0 ? null : text.slice(colon + 1);
  if (text === '' || rest === '') throw bad('copy, random, ngram, ngram:FILE, layers:N or a model', text);
  if (rest === null && (kind === 'copy' || kind === 'random')) return { kind };
  if (kind === 'ngram') return { kind, file: rest };
  if (kind === 'layers') {
    const layers = Number(rest ?? Number.NaN);
    if (!Number.isInteger(layers) || layers < 1) throw bad('layers:N with a whole number from 1 up', text);
    return { kind, layers };
  }
  if (kind === 'model' && rest !== null) return { kind, name: rest };
  return { kind: 'model', name: text };
}

function bad(expected: string, found: string): DecodingError {
  return new DecodingError('option-invalid', `draft: expected ${expected}, found '${found}'`);
}

/** How the caller gets at files and checkpoints. */
export interface DraftSources {
  readonly target: SequenceModel;
  readonly table: (file: string) => Promise<NgramTable>;
  readonly model: (name: string) => Promise<Drafter>;
}

/** The drafter that names stand for; the first of them that has a proposal makes it. */
export async function namedDrafter(names: readonly DraftName[], sources: DraftSources): Promise<Drafter> {
  const drafters: Drafter[] = [];
  for (const name of names) drafters.push(await one(name, sources));
  return drafters.length === 1 ? drafters[0] : firstOf(drafters);
}

async function one(name: DraftName, { target, table, model }: DraftSources): Promise<Drafter> {
  const size = target.vocabularySize;
  switch (name.kind) {
    case 'copy':
      return copyDrafter(size);
    case 'random':
      return randomDrafter(size);
    case 'ngram':
      return ngramDrafter(size, name.file === null ? {} : { table: await table(name.file) });
    case 'layers':
      return earlyExitDrafter(target, name.layers);
    case 'model':
      return model(name.name);
  }
}
