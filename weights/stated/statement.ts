/** What becomes of one key of a checkpoint's files. */
export type Outcome = 'followed' | 'no effect' | 'refused';

/** One key that a file of a checkpoint states, its value, and what becomes of it. */
export interface Statement {
  /** File that states it, such as `generation_config.json`. */
  readonly file: string;
  readonly key: string;
  readonly value: unknown;
  readonly outcome: Outcome;
  /** How it is followed, why it has no effect, or why it is refused. */
  readonly note: string;
}

/** What is done with a key. */
export type Treatment =
  | { readonly followed: string }
  | { readonly irrelevant: string }
  /** Refused where the value asks for something; `off` says which values ask for nothing. */
  | { readonly refused: string; readonly off: (value: unknown) => boolean };

export type TreatmentTable = Readonly<Record<string, Treatment>>;

/** Values that ask for nothing, in every table: what is left out, and what is empty. */
export function isNothing(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

const UNKNOWN: Treatment = { irrelevant: 'no key that transformers has' };

/** What becomes of each key of a file, by a table. A key that the table does not have has no effect. */
export function review(file: string, json: Readonly<Record<string, unknown>>, table: TreatmentTable): Statement[] {
  return Object.entries(json).map(([key, value]) => {
    const treatment = Object.hasOwn(table, key) ? table[key] : UNKNOWN;
    return { file, key, value, ...outcomeOf(treatment, value) };
  });
}

export function outcomeOf(treatment: Treatment, value: unknown): Pick<Statement, 'outcome' | 'note'> {
  if ('irrelevant' in treatment) return { outcome: 'no effect', note: treatment.irrelevant };
  if ('followed' in treatment) {
    return value === null
      ? { outcome: 'no effect', note: 'null is as if it were not there' }
      : { outcome: 'followed', note: treatment.followed };
  }
  if (isNothing(value) || treatment.off(value)) return { outcome: 'no effect', note: 'this value asks for nothing' };
  return { outcome: 'refused', note: treatment.refused };
}
