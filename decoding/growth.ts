import type { ForwardOptions, SequenceModel } from '../engine';
import type { Candidate } from './candidates';
import type { DraftRequest } from './drafter';
import { DecodingError } from './errors';
import { rowDistributions } from './processors';
import type { Sequence } from './sequence';

/** A sequence whose model drafts, and what is asked of it. */
export interface Growing {
  readonly sequence: Sequence;
  readonly request: DraftRequest;
}

/** A drafted tree with the state of the model along it. */
export interface Grown {
  readonly tree: Candidate[];
  /** For each candidate the sequence that its line goes on in; null where nothing came after a branch. */
  readonly lines: (Sequence | null)[];
}

/** The end of a line that may still grow. */
interface Tip {
  readonly owner: number;
  readonly sequence: Sequence;
  readonly ids: readonly number[];
  /** Index of its last candidate, −1 for none. */
  readonly candidate: number;
  readonly depth: number;
  readonly branch: string;
}

/**
 * Drafts for several sequences in step: each depth of all trees is one call of the model. A first candidate goes on in the stream
 * of the line before it, the others in copies; rows have the same bits in any company, so a tree is what it would be alone.
 */
export async function growAll(
  model: SequenceModel,
  items: readonly Growing[],
  options: ForwardOptions = {},
): Promise<Grown[]> {
  const grown: Grown[] = items.map(() => ({ tree: [], lines: [] }));
  let tips: Tip[] = items.map(({ sequence, request }, owner) => {
    return { owner, sequence, ids: request.ids, candidate: -1, depth: 0, branch: '' };
  });
  try {
    for (;;) {
      tips = tips.filter(({ owner, depth }) => depth < items[owner].request.gamma);
      if (tips.length === 0) return grown;
      tips = await oneDeeper(model, tips, { items, grown, options });
    }
  } catch (error) {
    for (const [i, { lines }] of grown.entries()) {
      for (const line of new Set(lines)) if (line !== items[i].sequence) line?.dispose();
    }
    throw error;
  }
}

interface Growth {
  readonly items: readonly Growing[];
  readonly grown: readonly Grown[];
  readonly options: ForwardOptions;
}

async function oneDeeper(model: SequenceModel, tips: readonly Tip[], growth: Growth): Promise<Tip[]> {
  const { items, options } = growth;
  let count = 0;
  const rows = tips.map(({ sequence, ids }) => {
    const own = sequence.rows(ids, [], count);
    count += own.length;
    return own;
  });
  const view = await model.forward(rows.flat(), options);
  try {
    let end = 0;
    const requests = tips.map(({ owner, ids }, i) => {
      const { processing, eosTokens } = items[owner].request;
      end += rows[i].length;
      return { row: end - 1, context: { ids, eosTokens }, processing };
    });
    const distributions = await rowDistributions(view, requests);
    return tips.flatMap((tip, i) => branches(tip, () => drawn(tip, distributions[i], growth), growth));
  } finally {
    view.dispose();
  }
}

type Draws = ReturnType<DraftRequest['draw']>[];

function drawn(tip: Tip, distribution: Parameters<DraftRequest['draw']>[0], { items }: Growth): Draws {
  const { draw, drawSeveral, branching } = items[tip.owner].request;
  const count = branching?.[tip.depth] ?? 1;
  if (count === 1 && tip.branch === '') return [draw(distribution, tip.ids.length)];
  return drawSeveral
    ? drawSeveral(distribution, count, tip.ids.length, tip.branch)
    : [draw(distribution, tip.ids.length)];
}

/** Adds the candidates that follow a tip, and gives the tips they make. */
function branches(tip: Tip, draws: () => Draws, { items, grown }: Growth): Tip[] {
  const { owner, ids, depth, candidate, sequence } = tip;
  const { tree, lines } = grown[owner];
  const { eosTokens, gamma } = items[owner].request;
  const next: Tip[] = [];
  for (const [k, draw] of unlessNoneLeft(draws).entries()) {
    const on = depth + 1 < gamma && !eosTokens.includes(draw.token); // nothing follows EOS; stopping after a token is unbiased
    const line = k === 0 ? sequence : on ? sequence.fork() : null;
    tree.push({ draw, parent: candidate });
    lines.push(line);
    if (!on || !line) continue;
    const branch = k === 0 ? tip.branch : `${tip.branch}/${depth}.${k}`;
    next.push({
      owner,
      sequence: line,
      ids: [...ids, draw.token],
      candidate: tree.length - 1,
      depth: depth + 1,
      branch,
    });
  }
  return next;
}

/** A draft whose processors forbid every token proposes none: whether that ends the text is for the target to say. */
function unlessNoneLeft(draws: () => Draws): Draws {
  try {
    return draws();
  } catch (error) {
    if (error instanceof DecodingError && error.code === 'no-token-left') return [];
    throw error;
  }
}
