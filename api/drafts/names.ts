import { invalid, type OptionRule, oneOf, whole } from '../../common';
import type { Drafter } from '../../decoding';
import { WEIGHT_TYPES } from '../../kernels';
import type { DraftModel, DraftSelf, DraftSource, ModelSource } from './types';

/** One draft, once its name has been read. `first` is what drafts for it. */
export type DraftPlan =
  | { readonly kind: 'copy' }
  | { readonly kind: 'random' }
  /** `file` is null where the table is learned from the output alone. */
  | { readonly kind: 'ngram'; readonly file: string | null }
  | { readonly kind: 'layers'; readonly layers: number }
  /** The target's own decoder in another type. */
  | { readonly kind: 'self'; readonly dtype: SelfDtype; readonly first?: DraftPlan }
  | (Pick<DraftModel, 'model' | 'dtype' | 'revision'> & { readonly kind: 'model'; readonly first?: DraftPlan })
  | { readonly kind: 'drafter'; readonly drafter: Drafter };

/** What a name may be, for messages and for the help. */
export const DRAFT_NAMES =
  'self, self:q8, self:q4, self:bf16, self:q8:DRAFT, copy, ngram, ngram:FILE, layers:N, random, model:NAME or the name of a model';

/** Types that a target's decoder can be kept in a second time. */
export type SelfDtype = 'q8' | 'q4' | 'bf16';
const SELF_DTYPES: readonly string[] = ['q8', 'q4', 'bf16'] satisfies SelfDtype[];

/** The type of `self` where none is named. */
const USUAL_SELF: SelfDtype = 'q8';

/** What drafts for a target that drafts for itself unasked: its decoder in the usual type, for which copying drafts. */
export const UNASKED_DRAFT: DraftPlan = { kind: 'self', dtype: USUAL_SELF, first: { kind: 'copy' } };

/**
 * Reads one name of a draft.
 *
 * @throws TandemError `option-invalid`
 */
export function parseDraft(text: string): DraftPlan {
  const colon = text.indexOf(':');
  const kind = colon < 0 ? text : text.slice(0, colon);
  const rest = colon < 0 ? null : text.slice(colon + 1);
  if (text === '' || rest === '') throw invalid('draft', DRAFT_NAMES, text);
  if (kind === 'self') return parseSelf(rest, text);
  if (kind === 'copy' || kind === 'random') {
    if (rest !== null) throw invalid('draft', `${kind} with nothing after it`, text);
    return { kind };
  }
  if (kind === 'ngram') return { kind, file: rest };
  if (kind === 'layers') {
    const layers = whole(1).parse?.(rest ?? '') ?? null;
    if (layers === null) throw invalid('draft', 'layers:N with a whole number from 1 up', text);
    return { kind, layers };
  }
  return { kind: 'model', model: kind === 'model' && rest !== null ? rest : text };
}

/** The name of what drafts for the target's copy in `self:TYPE:DRAFT`; null in every other name. */
export function draftOfSelf(name: string): string | null {
  return /^self:[^:]*:(.*)$/s.exec(name)?.[1] ?? null;
}

/** Reads what comes after `self:`, which is a type, and perhaps the name of what drafts for it. */
function parseSelf(rest: string | null, text: string): DraftPlan {
  if (rest === null) return { kind: 'self', dtype: USUAL_SELF };
  const [dtype] = rest.split(':', 1);
  const first = draftOfSelf(text);
  if (!SELF_DTYPES.includes(dtype)) {
    throw invalid('draft', "self:q8, self:q4 or self:bf16 (a model of this name is 'model:self')", text);
  }
  return {
    kind: 'self',
    dtype: dtype as SelfDtype,
    first: first === null ? undefined : checkedFirst(parseDraft(first)),
  };
}

/** A draft that may draft for another one. @throws TandemError `option-invalid` */
function checkedFirst(plan: DraftPlan): DraftPlan {
  if (plan.kind !== 'self') return plan;
  throw invalid('draft', 'a draft of the copy of the target that is not such a copy itself', `self:${plan.dtype}`);
}

/** Drafts, and what drafts for them. */
export function withFirst(plans: readonly DraftPlan[]): DraftPlan[] {
  return plans.flatMap((plan) => {
    const first = 'first' in plan ? plan.first : undefined;
    return first ? [plan, ...withFirst([first])] : [plan];
  });
}

/** Splits the drafts of a command line at commas. */
export function splitDrafts(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

/**
 * Reads the option `draft`.
 *
 * @returns the drafts in the order in which they are tried; none for null and for an empty list
 * @throws TandemError `option-invalid`
 */
export function draftPlans(draft: DraftSource | readonly DraftSource[] | null): DraftPlan[] {
  if (draft === null) return [];
  if (!isList(draft)) return [planOf(draft)];
  return draft.map(planOf);
}

/** The `File`s of a page are one model; any other list is several drafts. */
function isList(draft: DraftSource | readonly DraftSource[]): draft is readonly DraftSource[] {
  return Array.isArray(draft) && !(draft.length > 0 && draft.every(isBlob));
}

function isBlob(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as Blob).arrayBuffer === 'function';
}

function planOf(draft: DraftSource): DraftPlan {
  if (typeof draft === 'string') return parseDraft(draft);
  if (typeof draft !== 'object' || draft === null) {
    throw invalid('draft', `${DRAFT_NAMES}, a model, a Drafter, or null`, draft);
  }
  if (isDrafter(draft)) return { kind: 'drafter', drafter: draft };
  if (isDraftModel(draft)) return modelPlan(draft);
  if (isDraftSelf(draft)) return selfPlan(draft);
  return { kind: 'model', model: draft as ModelSource };
}

function isDrafter(draft: object): draft is Drafter {
  const { open, vocabularySize } = draft as Partial<Drafter>;
  return typeof open === 'function' && typeof vocabularySize === 'number';
}

function isDraftModel(draft: object): draft is DraftModel {
  return Object.hasOwn(draft, 'model') && !isBlob((draft as DraftModel).model);
}

function isDraftSelf(draft: object): draft is DraftSelf {
  const self = Object.hasOwn(draft, 'self') ? (draft as DraftSelf).self : null;
  return typeof self === 'string';
}

const DTYPE = oneOf(...WEIGHT_TYPES);

function modelPlan({ model, dtype, revision, draft, ...rest }: DraftModel): DraftPlan {
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw invalid('draft', 'an object with model, dtype, revision and draft', unknown);
  if (dtype !== undefined && !DTYPE.holds(dtype)) throw invalid('draft.dtype', DTYPE.expected, dtype);
  if (revision !== undefined && typeof revision !== 'string') throw invalid('draft.revision', 'text', revision);
  if (model === null || model === undefined) throw invalid('draft.model', 'a model', model);
  return { kind: 'model', model, dtype, revision, first: draft === undefined ? undefined : planOf(draft) };
}

function selfPlan({ self, draft, ...rest }: DraftSelf): DraftPlan {
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw invalid('draft', 'an object with self and draft', unknown);
  if (!SELF_DTYPES.includes(self)) throw invalid('draft.self', 'q8, q4 or bf16', self);
  return { kind: 'self', dtype: self, first: draft === undefined ? undefined : checkedFirst(planOf(draft)) };
}

/** What `draft` accepts. A command line writes several with commas between, and `none` for no draft. */
export const draftRule: OptionRule<DraftSource | readonly DraftSource[] | null> = {
  expected: `${DRAFT_NAMES}, a model, a Drafter, a list of these, or null`,
  holds: (value) => isAccepted(() => draftPlans(value as DraftSource)),
  parse: (text) => {
    if (text === 'none') return [];
    const names = splitDrafts(text);
    return names.every((name) => isAccepted(() => parseDraft(name))) ? (names as DraftSource[]) : null;
  },
};

function isAccepted(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}
