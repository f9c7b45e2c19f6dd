import type { Encoded, SequenceModel } from '../engine';
import type { SamplerParts } from './acceptance';
import { adaptiveGamma, fixedGamma, type GammaChooser } from './adaptive';
import { type Candidate, type TreeVerdict, tokensTo } from './candidates';
import type { Distribution } from './distribution';
import { type Drafter, type DraftRequest, type DraftSession, type DraftTurn, proposeAll } from './drafter';
import { DecodingError } from './errors';
import { Meter, type Metrics } from './metrics';
import { type RowRequest, rowDistributions } from './processors';
import { type Random, seededRandom } from './random';
import { Sequence } from './sequence';
import { checkSettings, type Settings } from './settings';
import type { TraceRecorder } from './trace';
import { drawsAfter, type Verifier, verifierOf } from './verification';

/** Where a token came from: kept from the draft, put in place of a rejected one, free after a whole proposal, or plain decoding. */
export type TokenOrigin = 'accepted' | 'corrected' | 'bonus' | 'target';

export interface TokenEvent {
  readonly token: number;
  readonly origin: TokenOrigin;
  readonly round: number;
  /** 0 for the first new token. */
  readonly position: number;
  /** The draft token that was rejected here, the first of several, when `origin` is `corrected`. */
  readonly rejected: number | null;
}

export type StopReason = 'eos' | 'length' | 'stopped';

export interface GenerationResult {
  /** New tokens, without the start token; a closing EOS is included. */
  readonly ids: readonly number[];
  readonly stopReason: StopReason;
  readonly metrics: Metrics;
}

/** One sequence to decode, whatever decodes it. */
export interface SequenceRequest {
  /** Source ids, EOS included. */
  readonly source: readonly number[];
  readonly settings?: Settings;
  /** Default: counter-based, from `settings.seed`. */
  readonly random?: Random;
  readonly signal?: AbortSignal;
  /** Asked after each token; true ends the run there (stop strings). */
  readonly stopAfter?: (token: number) => boolean;
  /** Seconds of a one-row target call measured in the same run, for c, v and the predicted speed-up. */
  readonly baseline?: number | null;
  /** Writes every round down as data. Default: none. */
  readonly trace?: TraceRecorder;
  /** For proofs: known-wrong parts must fail them. */
  readonly parts?: SamplerParts;
}

/** The models of a run. */
export interface Pair {
  readonly target: SequenceModel;
  /** Proposes tokens; without one, decoding is autoregressive. */
  readonly drafter?: Drafter | null;
}

/** State of one sequence being decoded. */
export interface Run {
  readonly pair: Pair;
  readonly request: SequenceRequest;
  readonly settings: Settings;
  readonly verifier: Verifier;
  readonly name: string;
  readonly gamma: GammaChooser;
  readonly maxNewTokens: number;
  readonly encoded: Encoded;
  readonly target: Sequence;
  readonly draft: DraftSession | null;
  /** Decoder ids, start token first. */
  readonly ids: number[];
  readonly meter: Meter;
  /** Rounds finished. */
  rounds: number;
}

/** What settings mean when they do not say. */
const DEFAULT_GAMMA = 4;
const LARGEST_ADAPTIVE_GAMMA = 16;

/** Refuses settings, and pairs of two vocabularies. */
export function checkRequest({ target, drafter }: Pair, { settings = {} }: SequenceRequest): void {
  checkSettings(settings, target.vocabularySize);
  if (drafter && drafter.vocabularySize !== target.vocabularySize) {
    const found = `${drafter.vocabularySize} (${drafter.name})`;
    throw new DecodingError(
      'vocabulary-mismatch',
      `draft: expected a vocabulary of ${target.vocabularySize}, found ${found}`,
    );
  }
}

/** Opens a sequence over a source that the target has encoded; `dispose` gives all of it back, the encoding too. */
export async function begin(pair: Pair, request: SequenceRequest, encoded: Encoded): Promise<Run> {
  const { target, drafter } = pair;
  const { source, settings = {} } = request;
  const { costs, branching, gamma = branching?.length ?? (costs ? LARGEST_ADAPTIVE_GAMMA : DEFAULT_GAMMA) } = settings;
  const largest = drafter ? gamma : 0;
  const numbers = request.random ?? seededRandom(settings.seed ?? 0);
  const random = request.trace?.overhear(numbers) ?? numbers;
  request.trace?.begin({ source, settings, startToken: target.startToken, drafter: drafter?.name ?? null });
  return {
    pair,
    request,
    settings,
    verifier: verifierOf(settings, random, request.parts),
    name: settings.stream ?? 'main',
    gamma: costs ? adaptiveGamma(costs, largest) : fixedGamma(largest),
    maxNewTokens: settings.maxNewTokens ?? 128,
    encoded,
    draft: drafter && largest > 0 ? await drafter.open(source, encoded) : null,
    target: Sequence.open(target, encoded),
    ids: [target.startToken],
    meter: new Meter(),
    rounds: 0,
  };
}

export function dispose(run: Run): void {
  run.target.dispose();
  run.draft?.dispose();
  run.encoded.dispose();
}

/** Proposals of a round for each of these runs, which have one drafter: never more than could come out. */
export async function proposeFor(runs: readonly Run[]): Promise<Candidate[][]> {
  const turns: (DraftTurn & { index: number })[] = [];
  for (const [index, run] of runs.entries()) {
    const { draft: session, ids, maxNewTokens } = run;
    const gamma = Math.min(run.gamma.next(), maxNewTokens - ids.length);
    if (session && gamma > 0) turns.push({ index, session, request: requestOf(run, gamma) });
  }
  const trees: Candidate[][] = runs.map(() => []);
  const drafter = runs[0]?.pair.drafter;
  if (!drafter || turns.length === 0) return trees;
  const start = performance.now();
  const proposed = await proposeAll(drafter, turns);
  const share = (performance.now() - start) / turns.length;
  for (const [i, { index, session }] of turns.entries()) {
    trees[index] = proposed[i];
    runs[index].meter.draft(share);
    runs[index].meter.draftCalls = session.calls;
  }
  return trees;
}

function requestOf(run: Run, gamma: number): DraftRequest {
  const { ids, verifier, name, rounds: round, settings } = run;
  const drawSeveral = (distribution: Distribution, count: number, position: number, branch: string) =>
    verifier.draw(distribution, count, { stream: name + branch, round, position });
  return {
    ids,
    gamma,
    processing: verifier.drafting,
    eosTokens: run.pair.target.eosTokens,
    branching: settings.branching,
    draw: (distribution, position) => drawSeveral(distribution, 1, position, '')[0],
    drawSeveral,
  };
}

/** The target's distributions before and after every candidate, for each run, from one call: [runs][candidates + 1]. */
export async function scoreFor(runs: readonly Run[], trees: readonly Candidate[][]): Promise<Distribution[][]> {
  const start = performance.now();
  let count = 0;
  const requests: RowRequest[] = [];
  const rows = runs.flatMap((run, i) => {
    const own = run.target.rows(run.ids, trees[i], count);
    count += own.length;
    requests.push(...requestsOf(run, trees[i], count));
    return own;
  });
  const view = await runs[0].pair.target.forward(rows);
  try {
    const distributions = await rowDistributions(view, requests);
    let taken = 0;
    return trees.map((tree) => {
      taken += tree.length + 1;
      return distributions.slice(taken - tree.length - 1, taken);
    });
  } finally {
    view.dispose();
    for (const run of runs) run.meter.target((performance.now() - start) / runs.length);
  }
}

/** @param end rows in the call up to this run's last one */
function requestsOf(run: Run, tree: readonly Candidate[], end: number): RowRequest[] {
  const { eosTokens } = run.pair.target;
  const first = end - tree.length - 1;
  return Array.from({ length: tree.length + 1 }, (_, i) => ({
    row: first + i,
    context: { ids: [...run.ids, ...tokensTo(tree, i - 1)], eosTokens },
    processing: run.verifier.processing,
  }));
}

/** What a round brought: tokens to hand out, and whether they could be the last. */
export interface Outcome {
  readonly events: readonly TokenEvent[];
  /** Length of the ids before them. */
  readonly before: number;
}

/** Accepts a path, corrects or goes on after it, and forgets the keys of what was rejected: all but the newest token stays held. */
export function settle(run: Run, tree: readonly Candidate[], targets: readonly Distribution[]): Outcome {
  const { ids, meter, name, verifier, rounds: round } = run;
  const before = ids.length;
  const verdict = verifier.verify(tree, targets, { stream: name, round, position: before });
  const { path } = verdict;
  meter.round(tree.length, path.length, chancesAlong(run, tree, targets, path));
  run.gamma.finished(tree.length, path.length);
  const events = eventsOf(run, tree, verdict);
  const tokens = events.map((event) => event.token);
  run.request.trace?.round({ position: before, tree, targets, verdict, tokens, spent: meter.spent });
  ids.push(...tokens);
  run.target.keep(path);
  run.target.rewind(ids.length - 1);
  run.draft?.rewind(ids.length - 1, path);
  run.rounds++;
  return { events, before };
}

/** The chance that a candidate stands, at each place up to the first where none did. */
function chancesAlong(
  { verifier }: Run,
  tree: readonly Candidate[],
  targets: readonly Distribution[],
  path: readonly number[],
): number[] {
  const places = [-1, ...path];
  const draws = places.map((last) => drawsAfter(tree, last));
  return places.flatMap((last, i) => (draws[i].length > 0 ? [verifier.standing(draws[i], targets[last + 1])] : []));
}

/** The round's tokens as events, cut where the sequence is full or ends. */
function eventsOf(run: Run, tree: readonly Candidate[], { path, next }: TreeVerdict): TokenEvent[] {
  const accepted = path.length;
  const refused = drawsAfter(tree, path[accepted - 1] ?? -1)[0] ?? null;
  const last: TokenOrigin = refused ? 'corrected' : tree.length > 0 ? 'bonus' : 'target';
  const tokens = [...path.map((candidate) => tree[candidate].draw.token), next.token];
  const first = run.ids.length - 1;
  const { eosTokens } = run.pair.target;
  const end = tokens.findIndex((token) => eosTokens.includes(token));
  const count = Math.min(end < 0 ? tokens.length : end + 1, run.maxNewTokens - first);
  return tokens.slice(0, count).map((token, i) => ({
    token,
    origin: i < accepted ? 'accepted' : last,
    round: run.rounds,
    position: first + i,
    rejected: i === accepted && refused ? refused.token : null,
  }));
}

/** Counts a token that is handed out, and says why the sequence ends with it, if it does. */
export function stopAt(run: Run, event: TokenEvent): StopReason | null {
  run.meter.token();
  if (run.pair.target.eosTokens.includes(event.token)) return 'eos';
  if (run.request.stopAfter?.(event.token)) return 'stopped';
  return event.position + 1 >= run.maxNewTokens ? 'length' : null;
}

/** @param length of the ids that were handed out, start token included */
export function resultOf(run: Run, length: number, stopReason: StopReason): GenerationResult {
  const gamma = run.settings.costs ? null : run.gamma.next();
  const metrics = run.meter.metrics(gamma, run.request.baseline ?? null, run.verifier.exact);
  const ids = run.ids.slice(1, length);
  run.request.trace?.finish(ids, stopReason);
  return { ids, stopReason, metrics };
}

/** @throws DecodingError `aborted` */
export function checkSignal({ request }: Run): void {
  if (request.signal?.aborted) throw new DecodingError('aborted', 'generation: cancelled');
}
