import {
  copyDrafter,
  type Drafter,
  earlyExitDrafter,
  firstOf,
  modelDrafter,
  ngramDrafter,
  randomDrafter,
  type Settings,
} from '../../decoding';
import { totalVariation } from './enumerator';
import { finish, samplerOutcomes, targetOutcomes } from './exactness';
import { randomTable, type TableModel, type TableOptions, tableModel } from './table-model';

const VOCABULARY = 3;

/** The verifications that enumeration can walk through. Coupled verification is continuous; its check is equality of texts. */
export const KINDS: Readonly<Record<string, Settings>> = {
  token: { gamma: 2 },
  block: { gamma: 2, verification: 'block' },
  'trees [2, 1]': { branching: [2, 1] },
};

/** The drafters of a cell. Each gets the target and a draft model. */
export const DRAFTERS: Readonly<Record<string, (target: TableModel, draft: TableModel) => Drafter>> = {
  model: (_, draft) => modelDrafter(draft),
  copy: () => over(copyDrafter(VOCABULARY), [2, 0, 2, 2, 0, 1]),
  ngram: () => ngramDrafter(VOCABULARY, { online: 2 }),
  'early exit': (target) => earlyExitDrafter(target, 1),
  random: () => randomDrafter(VOCABULARY),
  'copy, then model': (_, draft) => firstOf([over(copyDrafter(VOCABULARY), [2, 0, 2]), modelDrafter(draft)]),
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

interface Stop {
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

export interface Cell {
  readonly kind: Settings;
  readonly drafter: keyof typeof DRAFTERS;
  readonly processing: Settings;
  readonly stop: Stop;
  readonly seed: number;
}

function worldOf({ kind, drafter, processing, stop, seed }: Cell) {
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
  const request = { target, settings, readToken: (token: number) => ({ text: '', stop: stops.includes(token) }) };
  const open = () => target.open() + draft.open();
  return { table, settings, stops, request, drafter: DRAFTERS[drafter](target, draft), open };
}

/** Total variation between a cell's texts and the target's own texts. It throws when something was not given back. */
export async function cellDistance(cell: Cell): Promise<number> {
  const { table, settings, stops, request, drafter, open } = worldOf(cell);
  const found = await samplerOutcomes({ request, drafter });
  if (open() !== 0) throw new Error(`${open()} views, streams and sources were not given back`);
  return totalVariation(found, targetOutcomes(table, settings, stops));
}

/** The coupled text of a cell with its drafter, and the text of the same seed without a drafter. */
export async function coupledTexts(cell: Cell): Promise<readonly [string, string]> {
  const { request, settings, drafter } = worldOf(cell);
  const own: Settings = { ...settings, verification: 'coupled', seed: cell.seed };
  const { branching, gamma, ...plain } = own;
  const drafted = await finish({ ...request, drafter, source: [1], settings: own });
  const alone = await finish({ ...request, source: [1], settings: plain });
  return [drafted.ids.join(), alone.ids.join()];
}
