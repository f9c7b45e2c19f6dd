import type { DecoderRow, DecoderStream, SequenceModel, Source } from '../engine';
import { DecodingError } from './errors';
import { checkSignal } from './run';
import { LogProbRow, type TokenLogProb } from './sampling/log-probs';

/** Rows of one target call. More targets take several calls, so that a cancel is heard between them. */
const MOST_ROWS = 64;

/** Places of one target that are looked at before the event loop may turn. */
const PLACES_AT_ONCE = 1 << 14;

/** What to score. */
export interface ScoreRequest {
  readonly target: SequenceModel;
  /** Source ids, EOS included, perhaps with a mask. */
  readonly source: Source;
  /** Ids of each target, without the start token. A closing EOS is scored when it is among them. */
  readonly targets: readonly (readonly number[])[];
  /** How many of the most probable tokens of each place are listed. Default 0. */
  readonly top?: number;
  readonly signal?: AbortSignal;
  /** Awaited between two target calls. */
  readonly betweenCalls?: () => Promise<void>;
}

/** How probable the model holds one target to be. */
export interface TargetScore {
  readonly ids: readonly number[];
  /** Σ of the tokens' log-probabilities, added up in their order. */
  readonly logProb: number;
  /** One for each token. */
  readonly tokens: readonly TokenLogProb[];
}

/**
 * Scores targets of one source: one encode for all of them, and one call of the target for many. Beginnings that targets have in
 * common are computed once. A target's bits do not depend on the others.
 *
 * @throws DecodingError `argument-invalid` for a target without ids, `token-invalid`, `logits-invalid` or `aborted`; EngineError `source-invalid`
 */
export async function scoreTargets(request: ScoreRequest): Promise<TargetScore[]> {
  const { target, source, targets, signal } = request;
  for (const [i, ids] of targets.entries()) checkTarget(ids, `score: target ${i}`, target.vocabularySize);
  checkSignal(signal);
  if (targets.length === 0) return [];
  const [encoded] = await target.encode([source], { signal });
  try {
    const scores: TargetScore[] = [];
    for (const group of groupsOf(targets)) {
      const stream = encoded.open();
      try {
        scores.push(...(await scoreGroup(request, group, stream)));
      } finally {
        stream.dispose();
      }
      await giveWay(request);
    }
    return scores;
  } finally {
    encoded.dispose();
  }
}

/** Lets other work go on, and ends where the request was cancelled meanwhile. */
async function giveWay({ betweenCalls, signal }: ScoreRequest): Promise<void> {
  await betweenCalls?.();
  checkSignal(signal);
}

function checkTarget(ids: readonly number[], where: string, vocabulary: number): void {
  if (ids.length === 0) {
    throw new DecodingError('argument-invalid', `${where}: expected at least one token, found none`);
  }
  for (const id of ids) {
    if (Number.isInteger(id) && id >= 0 && id < vocabulary) continue;
    throw new DecodingError('token-invalid', `${where}: token: expected 0 to ${vocabulary - 1}, found ${id}`);
  }
}

/** Splits targets into groups of few enough rows; a target that has more alone is a group of its own. */
function* groupsOf(targets: ScoreRequest['targets']): Generator<ScoreRequest['targets']> {
  let group: (readonly number[])[] = [];
  let rows = 0;
  for (const ids of targets) {
    if (group.length > 0 && rows + ids.length > MOST_ROWS) {
      yield group;
      group = [];
      rows = 0;
    }
    group.push(ids);
    rows += ids.length;
  }
  if (group.length > 0) yield group;
}

/** A row of the tree of beginnings, and which tokens of which targets it predicts. */
interface Node {
  readonly token: number;
  readonly position: number;
  /** Index of the node before it; −1 for the start token. */
  readonly parent: number;
  readonly next: Map<number, number>;
  readonly predicts: { readonly target: number; readonly place: number }[];
}

/** The beginnings of targets as a tree: each node is the row that predicts the tokens after one beginning. */
async function treeOf(request: ScoreRequest, targets: ScoreRequest['targets']): Promise<Node[]> {
  const nodes: Node[] = [{ token: request.target.startToken, position: 0, parent: -1, next: new Map(), predicts: [] }];
  for (const [target, ids] of targets.entries()) {
    let at = 0;
    for (const [place, token] of ids.entries()) {
      nodes[at].predicts.push({ target, place });
      if (place === ids.length - 1) break; // nothing follows the last token
      if (place % PLACES_AT_ONCE === PLACES_AT_ONCE - 1) await giveWay(request);
      const known = nodes[at].next.get(token);
      if (known === undefined) {
        nodes.push({ token, position: place + 1, parent: at, next: new Map(), predicts: [] });
        nodes[at].next.set(token, nodes.length - 1);
      }
      at = known ?? nodes.length - 1;
    }
  }
  return nodes;
}

async function scoreGroup(
  request: ScoreRequest,
  targets: ScoreRequest['targets'],
  stream: DecoderStream,
): Promise<TargetScore[]> {
  const { target, top = 0, signal } = request;
  const nodes = await treeOf(request, targets);
  const tokens: TokenLogProb[][] = targets.map(() => []);
  // A tree is one call. A long target is a chain: the engine keeps a chain's rows, so that it may be cut anywhere.
  const step = targets.length > 1 ? nodes.length : MOST_ROWS;
  for (let first = 0; first < nodes.length; first += step) {
    if (first > 0) await giveWay(request);
    const part = nodes.slice(first, first + step);
    const view = await target.forward(
      part.map((node) => rowOf(node, stream, first)),
      { signal },
    );
    try {
      for (const [row, { predicts, position }] of part.entries()) {
        const read = await LogProbRow.read(view, row, top, { position: position + 1 });
        for (const one of predicts) tokens[one.target][one.place] = read.of(targets[one.target][one.place]);
      }
    } finally {
      view.dispose();
    }
  }
  return targets.map((ids, i) => ({
    ids,
    logProb: tokens[i].reduce((sum, { logProb }) => sum + logProb, 0),
    tokens: tokens[i],
  }));
}

function rowOf({ token, position, parent }: Node, stream: DecoderStream, first: number): DecoderRow {
  return { stream, position, token, parent: parent < first ? -1 : parent - first };
}
