import { TandemError } from '../../common';
import type { DraftPlan } from '../drafts/names';
import type { ModelSource } from '../drafts/types';
import type { LoadPlan } from '../load';
import { addressOf, locationOf } from '../sources/location.node';
import { isCheckpoint } from '../sources/open';

/**
 * The same plan in a form that can be sent to a worker: addresses are made absolute, and files go by name.
 *
 * @throws TandemError `option-invalid` for what has functions and cannot be sent
 */
export function sendablePlan({ target, drafts, ...rest }: LoadPlan): LoadPlan {
  return { ...rest, target: sendableSource(target, 'model'), drafts: drafts.map(sendableDraft) };
}

function sendableDraft(draft: DraftPlan): DraftPlan {
  switch (draft.kind) {
    case 'model':
      return { ...draft, model: sendableSource(draft.model, 'draft'), ...sendableFirst(draft) };
    case 'self':
      return { ...draft, ...sendableFirst(draft) };
    case 'ngram':
      return { ...draft, file: draft.file === null ? null : addressOf(draft.file) };
    case 'drafter':
      throw notSendable('draft', 'a Drafter, whose functions cannot be sent');
    default:
      return draft;
  }
}

function sendableFirst({ first }: { readonly first?: DraftPlan }): { readonly first?: DraftPlan } {
  return first === undefined ? {} : { first: sendableDraft(first) };
}

function sendableSource(source: ModelSource, option: 'model' | 'draft'): ModelSource {
  if (typeof source === 'string' || source instanceof URL) {
    const location = locationOf(source);
    return location.kind === 'url' ? location.url : location.name;
  }
  if (isCheckpoint(source)) throw notSendable(option, 'an open Checkpoint, which belongs to this thread');
  if ('open' in source) throw notSendable(option, 'a FileSet, whose functions cannot be sent');
  if (source instanceof Map || !(Symbol.iterator in source)) return source;
  // A clone of a File loses the path below the directory that the user chose.
  return new Map(Array.from(source as Iterable<File>, (file) => [file.webkitRelativePath || file.name, file]));
}

function notSendable(option: string, found: string): TandemError {
  return new TandemError(
    'option-invalid',
    `${option}: expected a name, an address, Files, or Blobs or bytes by name with worker: true, found ${found}`,
  );
}
