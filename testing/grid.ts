import { TandemError } from '../common';
import {
  copyDrafter,
  type Drafter,
  earlyExitDrafter,
  firstOf,
  modelDrafter,
  ngramDrafter,
  randomDrafter,
  type Settings,
  type TokenRule,
} from '../decoding';
import { type Outcomes, totalVariation } from './enumerator';
import { finish, samplerOutcomes, targetOutcomes } from './exactness';
import { randomTable, type TableModel, type TableOptions, tableModel } from './table-model';

/** Words of every model of the grid. */
export const VOCABULARY = 3;

/** Makes the drafter of one case from its target and from a model that could draft; both have `vocabularySize` words. */
export type MakeDrafter = (target: TableModel, draft: TableModel) => Drafter;

/** The verifications that enumeration can walk through. Coupled verification is continuous; its check is equality of texts. */
export const KINDS: Readonly<Record<string, Settings>> = {
  token: { gamma: 2 },
  block: { gamma: 2, verification: 'block' },
  'trees [2, 1]': { branching: [2, 1] },
};

/** The drafters of a cell. Each gets the target and a draft model. */
export const DRAFTERS: Readonly<Record<string, MakeDrafter>> = {
  model: (_, draft) => modelDrafter(draft),
  copy: ({ vocabularySize }) => over(copyDrafter(vocabularySize), [2, 0, 2, 2, 0, 1]),
  ngram: ({ vocabularySize }) => ngramDrafter(vocabularySize, { online: 2 }),
  'early exit': (target) => earlyExitDrafter(target, 1),
  random: ({ vocabularySize }) => randomDrafter(vocabularySize),
  'copy, then model': (_, draft) => firstOf([over(copyDrafter(draft.vocabularySize), [2, 0, 2]), modelDrafter(draft)]),
  'copy for the model': (_, draft) => modelDrafter(draft, 'model', copyStage(draft)),
  'four stages': (target, draft) => {
    const first = modelDrafter(draft, 'first', copyStage(draft));
    return modelDrafter(target, 'last', {
      drafter: modelDrafter(draft, 'middle', { drafter: first, gamma: 1 }),
      gamma: 2,
    });
  },
};

const copyStage = ({ vocabularySize }: TableModel) => {
  return { drafter: over(copyDrafter(vocabularySize), [2, 0, 2, 2, 0, 1]), gamma: 2 };
};

export const PROCESSORS: Readonly<Record<string, Settings>> = {
  'temperature 0.7': { temperature: 0.7 },
  'top-k and top-p': { temperature: 1, topK: 2, topP: 0.8 },
  'repetition penalty': { temperature: 1.3, repetitionPenalty: 1.5 },
  'rules over ids and source': {
    temperature: 1.1,
    sequenceBias: [
      [[2], 0.8],
      [[2, 0], -1.5],
    ],
    encoderNoRepeatNgramSize: 3,
    exponentialDecayLengthPenalty: [0, 1.6],
    forcedEosToken: 1,
    typicalP: 0.95,
  },
  greedy: { temperature: 0 },
};

/** How a text ends. */
export interface Stop {
  readonly eosTokens: readonly number[];
  readonly maxNewTokens: number;
  readonly minNewTokens?: number;
  readonly stops?: readonly number[];
}

export const STOPS: Readonly<Record<string, Stop>> = {
  'an EOS': { eosTokens: [1], maxNewTokens: 3 },
  'two of them': { eosTokens: [1, 2], maxNewTokens: 4 },
  'the length alone': { eosTokens: [], maxNewTokens: 3 },
  'a least length': { eosTokens: [1], maxNewTokens: 3, minNewTokens: 2 },
  'a stop rule': { eosTokens: [1], maxNewTokens: 3, stops: [2] },
};

/** The drafter with another source than the run's. */
const over = (drafter: Drafter, source: readonly number[]): Drafter => ({
  ...drafter,
  open: () => drafter.open(source),
});

/** One case: how the target verifies, what drafts, how logits become a distribution, how a text ends, and the models' seed. */
export interface Cell {
  readonly kind: Settings;
  /** One of `DRAFTERS` by its name, or another one. */
  readonly drafter: keyof typeof DRAFTERS | MakeDrafter;
  readonly processing: Settings;
  readonly stop: Stop;
  readonly seed: number;
  /** The rule of token verification; the paper's where it is left out. */
  readonly rule?: TokenRule;
}

/** Distributions over the texts of a cell. */
export interface CellOutcomes {
  readonly settings: Settings;
  /** What the paths of the shipped loop add up to. */
  readonly sampler: Outcomes;
  /** The target's own, by the chain rule. */
  readonly target: Outcomes;
}

function worldOf({ kind, drafter, processing, stop, seed, rule }: Cell) {
  const { eosTokens, stops = [], ...lengths } = stop;
  const table: TableOptions = {
    vocabulary: VOCABULARY,
    logits: randomTable(VOCABULARY, seed),
    eosTokens,
    early: randomTable(VOCABULARY, seed + 2000),
  };
  const target = tableModel(table);
  const draft = tableModel({ ...table, logits: randomTable(VOCABULARY, seed + 1000) });
  const settings: Settings = { ...processing, ...kind, ...lengths };
  const readToken = (token: number) => ({ text: '', stop: stops.includes(token) });
  const request = { target, settings, readToken, rule };
  const make = typeof drafter === 'function' ? drafter : DRAFTERS[drafter];
  return { table, settings, stops, request, drafter: make(target, draft), open: () => target.open() + draft.open() };
}

/** Runs the shipped loop through every path of a cell. @throws Error when the drafter or the loop did not give everything back */
export async function cellOutcomes(cell: Cell): Promise<CellOutcomes> {
  const { table, settings, stops, request, drafter, open } = worldOf(cell);
  const sampler = await samplerOutcomes({ request, drafter });
  if (open() !== 0) {
    throw new TandemError(
      'argument-invalid',
      `${drafter.name}: ${open()} views, streams and sources were not disposed`,
    );
  }
  return { settings, sampler, target: targetOutcomes(table, settings, stops) };
}

/** Total variation between a cell's texts and the target's own texts. */
export async function cellDistance(cell: Cell): Promise<number> {
  const { sampler, target } = await cellOutcomes(cell);
  return totalVariation(sampler, target);
}

/** Texts of a cell without and with its drafter, where the seed fixes the text: coupled verification. */
export async function coupledTexts(cell: Cell): Promise<readonly [string, string]> {
  const { request, settings, drafter } = worldOf(cell);
  const own: Settings = { ...settings, verification: 'coupled', seed: cell.seed };
  const { branching, gamma, ...plain } = own;
  const drafted = await finish({ ...request, drafter, source: [1], settings: own });
  const alone = await finish({ ...request, source: [1], settings: plain });
  return [drafted.ids.join(), alone.ids.join()];
}
