/** Figures of Leviathan, Kalman and Matias 2023 (arXiv 2211.17192v2) as printed. α and c are rounded to two places there. */

/** Table 1: factors in arithmetic operations and in speed at c = 0. */
export interface IdealRow {
  readonly alpha: number;
  readonly gamma: number;
  readonly operations: number;
  readonly speed: number;
}

export const TABLE_1: readonly IdealRow[] = [
  { alpha: 0.6, gamma: 2, operations: 1.53, speed: 1.96 },
  { alpha: 0.7, gamma: 3, operations: 1.58, speed: 2.53 },
  { alpha: 0.8, gamma: 2, operations: 1.23, speed: 2.44 },
  { alpha: 0.8, gamma: 5, operations: 1.63, speed: 3.69 },
  { alpha: 0.9, gamma: 2, operations: 1.11, speed: 2.71 },
  { alpha: 0.9, gamma: 10, operations: 1.6, speed: 6.86 },
];

/** English to German (WMT), or summaries (CNN/DailyMail). */
export type Task = 'EnDe' | 'CNN/DM';
/** T5 v1.1: 77M, 250M and 800M parameters. */
export type PaperDraft = 'small' | 'base' | 'large';

/** Table 2: T5 v1.1 XXL (11B) as the target, batch 1, one TPU v4, against T5X; `theory` is theorem 3.8 for the row. */
export interface MeasuredRow {
  readonly task: Task;
  readonly draft: PaperDraft;
  readonly temperature: 0 | 1;
  readonly gamma: number;
  readonly alpha: number;
  readonly c: number;
  readonly theory: number;
  readonly measured: number;
}

type Cells = [Task, PaperDraft, 0 | 1, number, number, number, number, number];

const TABLE_2_CELLS: readonly Cells[] = [
  ['EnDe', 'small', 0, 7, 0.75, 0.02, 3.2, 3.4],
  ['EnDe', 'base', 0, 7, 0.8, 0.04, 3.3, 2.8],
  ['EnDe', 'large', 0, 7, 0.82, 0.11, 2.5, 1.7],
  ['EnDe', 'small', 1, 7, 0.62, 0.02, 2.3, 2.6],
  ['EnDe', 'base', 1, 5, 0.68, 0.04, 2.4, 2.4],
  ['EnDe', 'large', 1, 3, 0.71, 0.11, 2.0, 1.4],
  ['CNN/DM', 'small', 0, 5, 0.65, 0.02, 2.4, 3.1],
  ['CNN/DM', 'base', 0, 5, 0.73, 0.04, 2.6, 3.0],
  ['CNN/DM', 'large', 0, 3, 0.74, 0.11, 2.0, 2.2],
  ['CNN/DM', 'small', 1, 5, 0.53, 0.02, 1.9, 2.3],
  ['CNN/DM', 'base', 1, 3, 0.55, 0.04, 1.8, 2.2],
  ['CNN/DM', 'large', 1, 3, 0.56, 0.11, 1.6, 1.7],
];

export const TABLE_2: readonly MeasuredRow[] = TABLE_2_CELLS.map(
  ([task, draft, temperature, gamma, alpha, c, theory, measured]) => ({
    task,
    draft,
    temperature,
    gamma,
    alpha,
    c,
    theory,
    measured,
  }),
);

/** Table 3, the n-gram rows: α of drafts that cost next to nothing, per temperature 0 and 1. */
export interface NgramRow {
  readonly task: Task;
  readonly order: 1 | 2;
  readonly alpha: { readonly greedy: number; readonly sampled: number };
}

export const TABLE_3: readonly NgramRow[] = [
  { task: 'EnDe', order: 1, alpha: { greedy: 0.08, sampled: 0.07 } },
  { task: 'EnDe', order: 2, alpha: { greedy: 0.2, sampled: 0.19 } },
  { task: 'CNN/DM', order: 2, alpha: { greedy: 0.23, sampled: 0.16 } },
];

/** Section 4.2: the bigram draft, which costs nothing, at γ = 3 on EnDe. */
export const BIGRAM_SPEEDUP = { gamma: 3, alpha: 0.2, c: 0, speed: 1.25 } as const;

/** Table 5: α by lenience l, of T5-small drafting on EnDe at temperature 1. l = 1 is exact. */
export interface LenienceRow {
  readonly lenience: number;
  readonly alpha: number;
}

export const TABLE_5: readonly LenienceRow[] = [
  { lenience: 1, alpha: 0.62 },
  { lenience: 0.5, alpha: 0.71 },
  { lenience: 0.3, alpha: 0.76 },
  { lenience: 0.1, alpha: 0.84 },
];
