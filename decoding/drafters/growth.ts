import type { ForwardOptions, LogitsView, SequenceModel } from '../../engine';
import { Failure } from '../failure';
import { type Proposal, type ProposedToken, ROOT } from '../proposal';
import { confidenceIn } from '../sampling/confidence';
import { type Distribution, isEmpty } from '../sampling/distribution';
import type { Draw } from '../sampling/draw';
import { type RowRequest, rowDistributions } from '../sampling/processors';
import type { Sequence } from '../sequence';
import { type DraftRequest, longestOf } from './drafter';

/** A sequence for which a model drafts, and what is asked of it. */
export interface GrowthItem {
  readonly sequence: Sequence;
  readonly request: DraftRequest;
}

/** A proposal, with the model's state along it. */
export interface GrownTree {
  readonly proposal: Proposal;
  /** For each proposed token, the sequence in which its line goes on; null where nothing came after a branch. */
  readonly lines: readonly (Sequence | null)[];
}

interface GrowingTree {
  readonly proposal: ProposedToken[];
  readonly lines: (Sequence | null)[];
}

/** The end of a line that can still grow. */
interface Tip {
  /** Index of its item. */
  readonly item: number;
  readonly sequence: Sequence;
  readonly ids: readonly number[];
  /** Index of its last token in the proposal, or `ROOT`. */
  readonly token: number;
  readonly depth: number;
  /** Name of the line among those of its tree; '' for the first line. */
  readonly branch: string;
}

interface Growth {
  readonly items: readonly GrowthItem[];
  readonly trees: readonly GrowingTree[];
  readonly options: ForwardOptions;
}

/**
 * Drafts a tree for each of several sequences. Every depth of all trees is one call of the model. The first of several siblings
 * goes on in the stream of the line before it, and each other one in a copy. A row has the same bits in any company, so each
 * tree is what it would be alone.
 */
export async function growTrees(
  model: SequenceModel,
  items: readonly GrowthItem[],
  options: ForwardOptions = {},
): Promise<GrownTree[]> {
  const trees: GrowingTree[] = items.map(() => ({ proposal: [], lines: [] }));
  let tips: Tip[] = items.map(({ sequence, request }, item) => {
    return { item, sequence, ids: request.ids, token: ROOT, depth: 0, branch: '' };
  });
  try {
    for (;;) {
      tips = tips.filter(({ item, depth }) => depth < longestOf(items[item].request));
      if (tips.length === 0) return trees;
      tips = await growOneDepth(model, tips, { items, trees, options });
    }
  } catch (error) {
    for (const [i, { lines }] of trees.entries()) {
      for (const line of new Set(lines)) if (line !== items[i].sequence) line?.dispose();
    }
    throw error;
  }
}

/** A row of a call that drafts, which follows these ids. */
export function draftRow(request: DraftRequest, ids: readonly number[], row: number): RowRequest {
  const { processing, eosTokens, source, maxNewTokens, numbers } = request;
  const context = { ids, eosTokens, source, maxNewTokens, model: 'draft' as const };
  return { row, context, processing, numbers: numbers?.(ids.length) };
}

/** A token that a model has just drawn for a proposal. */
interface Drawn {
  readonly view: LogitsView;
  /** The row that it was drawn from. */
  readonly row: RowRequest;
  readonly draw: Draw;
  /** Number of tokens of its line so far, this one included. */
  readonly depth: number;
}

/** Whether to propose a token after one that was drawn: where the request asks for it, the draft tells how sure it is. */
export async function goesOn({ stopping }: DraftRequest, { view, row, draw, depth }: Drawn): Promise<boolean> {
  return !stopping || stopping.goesOn(await confidenceIn(view, row, draw), depth);
}

async function growOneDepth(model: SequenceModel, tips: readonly Tip[], growth: Growth): Promise<Tip[]> {
  const { items, options } = growth;
  let count = 0;
  const rows = tips.map(({ sequence, ids }) => {
    const rowsOfTip = sequence.rows(ids, [], count);
    count += rowsOfTip.length;
    return rowsOfTip;
  });
  const view = await model.forward(rows.flat(), options);
  try {
    let end = 0;
    const requests = tips.map(({ item, ids }, i) => {
      end += rows[i].length;
      return draftRow(items[item].request, ids, end - 1);
    });
    const [distributions] = await rowDistributions(view, [requests]);
    if (distributions instanceof Failure) throw distributions.error;
    const grown: Tip[] = [];
    for (const [i, tip] of tips.entries()) {
      const draws = drawFor(tip, distributions[i], growth);
      const next = addTokens(tip, draws, growth);
      if (draws.length === 0) continue;
      if (await goesOn(items[tip.item].request, { view, row: requests[i], draw: draws[0], depth: tip.depth + 1 })) {
        grown.push(...next);
      }
    }
    return grown;
  } finally {
    view.dispose();
  }
}

/**
 * The tokens to propose after a tip. There are none when the processors forbid every token: whether that ends the text is for
 * the target to say.
 */
function drawFor(tip: Tip, distribution: Distribution, { items }: Growth): Draw[] {
  if (isEmpty(distribution)) return [];
  const { draw, drawSeveral, branching } = items[tip.item].request;
  const count = branching?.[tip.depth] ?? 1;
  if (count === 1 && tip.branch === '') return [draw(distribution, tip.ids.length)];
  return drawSeveral(distribution, count, tip.ids.length, tip.branch);
}

/** Adds tokens after a tip to its tree, and returns the tips that can grow further. */
function addTokens(tip: Tip, draws: readonly Draw[], { items, trees }: Growth): Tip[] {
  const { item, ids, depth, token: parent, sequence } = tip;
  const { proposal, lines } = trees[item];
  const { request } = items[item];
  const longest = longestOf(request);
  const next: Tip[] = [];
  for (const [k, draw] of draws.entries()) {
    const grows = depth + 1 < longest && !request.eosTokens.includes(draw.token); // nothing follows EOS; to stop after a token is unbiased
    const line = k === 0 ? sequence : grows ? sequence.fork() : null;
    proposal.push({ draw, parent });
    lines.push(line);
    if (!grows || !line) continue;
    const branch = k === 0 ? tip.branch : `${tip.branch}/${depth}.${k}`;
    const token = proposal.length - 1;
    next.push({ item, sequence: line, ids: [...ids, draw.token], token, depth: depth + 1, branch });
  }
  return next;
}
