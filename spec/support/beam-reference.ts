import fc from 'fast-check';
import type { BeamDrafter, BeamSearchResult, BeamSettings } from '../../decoding';
import { type BeamParts, exactBeamParts } from '../../decoding/beam/round';
import { searchWith } from '../../decoding/beam/search';
import type { Candidate } from '../../decoding/beam/selection';
import { rank } from '../../decoding/beam/selection';

import { seeded } from './random-checkpoint';
import { randomTable, type TableModel, type TableOptions, tableModel } from './table-model';

type Sequences = BeamSearchResult['sequences'];

/**
 * Beam search written a second time in its simplest form: whole prefixes, whole vocabularies and one sort, without streams, rows,
 * top-k or a draft. It has no processors.
 */
export function referenceBeams(table: TableOptions, settings: BeamSettings): Sequences {
  const { numBeams: beams = 4, lengthPenalty = 1, earlyStopping = false, maxNewTokens = 128 } = settings;
  const { numReturnSequences = 1 } = settings;
  const { vocabulary, logits, eosTokens = [] } = table;
  const normalised = (sum: number, length: number) => sum / length ** lengthPenalty;
  let open: { ids: number[]; sum: number }[] = [{ ids: [], sum: 0 }];
  let closed: { ids: readonly number[]; score: number }[] = [];
  for (let length = 1; length <= maxNewTokens; length++) {
    const all: { ids: number[]; sum: number }[] = [];
    for (const { ids, sum } of open) {
      const row = logits([0, ...ids], []);
      const total = Math.log(row.reduce((mass, logit) => mass + Math.exp(logit), 0));
      for (let token = 0; token < vocabulary; token++) {
        if (row[token] > Number.NEGATIVE_INFINITY) all.push({ ids: [...ids, token], sum: sum + (row[token] - total) });
      }
    }
    all.sort((a, b) => b.sum - a.sum);
    open = [];
    all.slice(0, beams * Math.max(2, 1 + eosTokens.length)).forEach(({ ids, sum }, place) => {
      const ended = eosTokens.includes(ids[length - 1]) || length === maxNewTokens;
      if (!ended && open.length < beams) open.push({ ids, sum });
      if (ended && place < beams) closed.push({ ids, score: normalised(sum, length) });
    });
    closed = closed.sort((a, b) => b.score - a.score).slice(0, beams);
    if (open.length === 0) break;
    if (closed.length < beams) continue;
    if (earlyStopping === true || beams === 1) break;
    const hopeful = normalised(open[0].sum, earlyStopping === 'never' && lengthPenalty > 0 ? maxNewTokens : length);
    if (hopeful <= closed[beams - 1].score) break;
  }
  return closed.slice(0, numReturnSequences);
}

/** How a draft relates to its target. */
export type DraftKind = 'identical' | 'noisy' | 'other' | 'certain';

/** A search over tables, with everything that its outcome depends on. */
export interface BeamCase {
  readonly table: TableOptions;
  readonly draftTable: TableOptions;
  readonly settings: BeamSettings & { readonly numBeams: number; readonly maxNewTokens: number };
  readonly width: number;
  readonly gamma: number;
}

const BEAM_CASE = fc.record({
  vocabulary: fc.integer({ min: 2, max: 7 }),
  seed: fc.nat(1_000_000),
  kind: fc.constantFrom('soft' as const, 'sharp' as const, 'holes' as const, 'tied' as const),
  draft: fc.constantFrom<DraftKind>('identical', 'noisy', 'noisy', 'other', 'certain'),
  ends: fc.integer({ min: 0, max: 2 }),
  numBeams: fc.integer({ min: 1, max: 4 }),
  lengthPenalty: fc.constantFrom(-1, 0, 0.6, 1, 2.5),
  earlyStopping: fc.constantFrom(true, false, 'never' as const),
  maxNewTokens: fc.integer({ min: 1, max: 9 }),
  extra: fc.nat(3),
  gamma: fc.nat(5),
});

/** Searches of all kinds: ends of sequence and length limits anywhere, ties, tokens without mass, every draft. */
export const beamCase: fc.Arbitrary<BeamCase> = BEAM_CASE.map((chosen) => {
  const { vocabulary, seed, kind, draft, ends, numBeams, extra, gamma, ...settings } = chosen;
  const eosTokens = Array.from({ length: Math.min(ends, vocabulary - 1) }, (_, i) => (seed + i) % vocabulary);
  const logits = kind === 'tied' ? tiedTable(vocabulary, seed) : randomTable(vocabulary, seed, kind);
  return {
    table: { vocabulary, logits, eosTokens },
    draftTable: { vocabulary, logits: draftLogits(logits, vocabulary, seed, draft), eosTokens },
    settings: { ...settings, numBeams, numReturnSequences: numBeams },
    width: numBeams + extra,
    gamma,
  };
});

/** Few different logits, so that hypotheses tie. */
function tiedTable(vocabulary: number, seed: number): TableOptions['logits'] {
  const soft = randomTable(vocabulary, seed);
  return (ids, source) => soft(ids, source).map((logit) => Math.round(logit));
}

function draftLogits(
  target: TableOptions['logits'],
  vocabulary: number,
  seed: number,
  kind: DraftKind,
): TableOptions['logits'] {
  if (kind === 'identical') return target;
  const other = randomTable(vocabulary, seed + 1, kind === 'certain' ? 'one-hot' : 'soft');
  if (kind !== 'noisy') return other;
  const size = 0.6 * seeded(seed)();
  return (ids, source) => target(ids, source).map((logit, token) => logit + size * other(ids, source)[token]);
}

export interface BeamRun extends BeamSearchResult {
  readonly target: TableModel;
  readonly draft: TableModel;
  /** The largest number of ids, start token included, that a model was asked to continue. */
  readonly longest: number;
  /** The largest number of open views, streams and sources of each model. */
  readonly widest: { readonly target: number; readonly draft: number };
  /** Rows that the draft was asked for. */
  readonly draftRows: number;
}

/** Runs a case on table models, with its draft or without. */
export async function runCase(chosen: BeamCase, speculative: boolean, parts = exactBeamParts): Promise<BeamRun> {
  let longest = 0;
  const rows = { target: 0, draft: 0 };
  const widest = { target: 0, draft: 0 };
  const measured = (table: TableOptions, who: 'target' | 'draft'): TableModel => {
    const model: TableModel = tableModel({
      ...table,
      logits: (ids, source) => {
        longest = Math.max(longest, ids.length);
        widest[who] = Math.max(widest[who], model.open());
        rows[who]++;
        return table.logits(ids, source);
      },
    });
    return model;
  };
  const target = measured(chosen.table, 'target');
  const draft = measured(chosen.draftTable, 'draft');
  const drafter: BeamDrafter = { model: draft, width: chosen.width, gamma: chosen.gamma };
  const { settings } = chosen;
  const result = await searchWith(parts, { target, source: [1], settings, drafter: speculative ? drafter : null });
  return { ...result, target, draft, longest, widest, draftRows: rows.draft };
}

/** A beam search that is wrong on purpose, in a way that was seen elsewhere. */
export interface BeamMutant {
  readonly name: string;
  /** Whether it is wrong without a draft too. */
  readonly plain: boolean;
  readonly parts: BeamParts;
}

const { select } = exactBeamParts;
const replaying = (name: string, goOn: BeamParts['goOn']): BeamMutant => ({
  name,
  plain: false,
  parts: { ...exactBeamParts, goOn },
});
const selecting = (name: string, wrong: BeamParts['select']): BeamMutant => ({
  name,
  plain: true,
  parts: { ...exactBeamParts, select: wrong },
});

export const BEAM_MUTANTS: readonly BeamMutant[] = [
  replaying('goes on past a prefix that was not scored, with those that were', (kept) => {
    const scored = kept.filter((one) => one.scored);
    return scored.length > 0 ? scored : null;
  }),
  replaying('goes on while the best hypothesis was scored', (kept) => {
    const best = kept[0].scored;
    return best && kept.map((one) => ({ ...one, scored: one.scored ?? best }));
  }),
  replaying('continues a hypothesis that was not scored from its parent', (kept) =>
    kept.some((one) => one.scored) ? kept.map((one) => ({ ...one, scored: one.scored ?? one.from })) : null,
  ),
  replaying("takes the draft's scores for the target's", (kept) =>
    kept.every((one) => one.scored)
      ? kept.map((one) => ({ ...one, beam: { ...one.beam, logProb: one.scored?.logProb ?? 0 } }))
      : null,
  ),
  selecting('counts the length without the EOS', (beams, lists, before, rules) => {
    const length = beams[0].ids.length;
    const step = select(beams, lists, [], { ...rules, lengthPenalty: 0 });
    const shorter = step.finished.map(({ ids, score }) => ({
      ids,
      score:
        score / Math.max(1, rules.eosTokens.includes(ids[ids.length - 1]) ? length - 1 : length) ** rules.lengthPenalty,
    }));
    const finished = [...before, ...shorter].sort((a, b) => b.score - a.score).slice(0, rules.numBeams);
    return { ...select(beams, lists, before, rules), finished };
  }),
  selecting('leaves scores undivided by length', (beams, lists, before, rules) =>
    select(beams, lists, before, { ...rules, lengthPenalty: 0 }),
  ),
  selecting('lets hypotheses that end take the place of those that go on', (beams, lists, before, rules) => {
    const step = select(beams, lists, before, rules);
    const first = rank(beams, lists, rules.numBeams);
    const among = ({ parent, token }: Candidate) => first.some((one) => one.parent === parent && one.token === token);
    const running = step.running.filter(among);
    return { ...step, running, done: step.done || running.length === 0 };
  }),
  selecting('finishes sequences from beyond the first candidates', (beams, lists, before, rules) => {
    const wide = select(beams, lists, before, { ...rules, numBeams: 2 * rules.numBeams });
    const step = select(beams, lists, before, rules);
    return { ...step, finished: wide.finished.slice(0, rules.numBeams) };
  }),
  selecting('forgets what had finished before', (beams, lists, _, rules) => select(beams, lists, [], rules)),
  selecting('ends with the first sequence that finishes', (beams, lists, before, rules) => {
    const step = select(beams, lists, before, rules);
    return { ...step, done: step.done || step.finished.length > 0 };
  }),
  selecting('never ends before the length limit', (beams, lists, before, rules) => {
    const step = select(beams, lists, before, rules);
    return { ...step, done: step.running.length === 0 };
  }),
  selecting('chooses what goes on by each token alone', (beams, lists, before, rules) => {
    const step = select(beams, lists, before, rules);
    const gain = ({ parent, logProb }: Candidate) => logProb - beams[parent].logProb;
    const all = rank(beams, lists, Number.POSITIVE_INFINITY).filter(({ token }) => !rules.eosTokens.includes(token));
    const running = step.running.length === 0 ? [] : all.sort((a, b) => gain(b) - gain(a)).slice(0, rules.numBeams);
    return { ...step, running };
  }),
];
