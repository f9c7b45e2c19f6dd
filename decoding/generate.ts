import type { Encoded, SequenceModel } from '../engine';
import type { SamplerParts, Verdict } from './acceptance';
import { adaptiveGamma, fixedGamma, type GammaChooser } from './adaptive';
import type { Distribution, Draw } from './distribution';
import type { Drafter, DraftSession } from './drafter';
import { DecodingError } from './errors';
import { Meter, type Metrics } from './metrics';
import { rowDistributions } from './processors';
import { type Random, seededRandom } from './random';
import { Sequence } from './sequence';
import { checkSettings, type Settings } from './settings';
import type { TraceRecorder } from './trace';
import { type Verifier, verifierOf } from './verification';

/** Where a token came from: kept from the draft, put in place of a rejected one, free after a whole proposal, or plain decoding. */
export type TokenOrigin = 'accepted' | 'corrected' | 'bonus' | 'target';

export interface TokenEvent {
  readonly token: number;
  readonly origin: TokenOrigin;
  readonly round: number;
  /** 0 for the first new token. */
  readonly position: number;
  /** The draft token that was rejected here, when `origin` is `corrected`. */
  readonly rejected: number | null;
}

export type StopReason = 'eos' | 'length' | 'stopped';

export interface GenerationResult {
  /** New tokens, without the start token; a closing EOS is included. */
  readonly ids: readonly number[];
  readonly stopReason: StopReason;
  readonly metrics: Metrics;
}

export interface GenerationRequest {
  readonly target: SequenceModel;
  /** Proposes tokens; without one, decoding is autoregressive. */
  readonly drafter?: Drafter | null;
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

/** State of one sequence being decoded. */
interface Run {
  readonly request: GenerationRequest;
  readonly settings: Settings;
  readonly verifier: Verifier;
  readonly name: string;
  readonly gamma: GammaChooser;
  readonly maxNewTokens: number;
  readonly target: Sequence;
  readonly draft: DraftSession | null;
  /** Decoder ids, start token first. */
  readonly ids: number[];
  readonly meter: Meter;
}

/**
 * Decodes one source, token by token as they become certain; returns the whole at the end. Greedy output is the same in
 * every bit with and without a drafter; sampled output has the target's distribution.
 *
 * @throws DecodingError `setting-invalid`, `vocabulary-mismatch`, `no-token-left` or `aborted`
 */
export async function* generate(request: GenerationRequest): AsyncGenerator<TokenEvent, GenerationResult, void> {
  const { target, source, drafter, settings = {} } = request;
  checkSettings(settings, target.vocabularySize);
  if (drafter && drafter.vocabularySize !== target.vocabularySize) {
    const found = `${drafter.vocabularySize} (${drafter.name})`;
    throw new DecodingError(
      'vocabulary-mismatch',
      `draft: expected a vocabulary of ${target.vocabularySize}, found ${found}`,
    );
  }
  const [encoded] = await target.encode([source]);
  let run: Run | null = null;
  try {
    run = await begin(request, settings, encoded);
    return yield* rounds(run);
  } finally {
    run?.target.release();
    run?.draft?.release();
    encoded.release();
  }
}

/** What settings mean when they do not say. */
const DEFAULT_GAMMA = 4;
const LARGEST_ADAPTIVE_GAMMA = 16;

async function begin(request: GenerationRequest, settings: Settings, encoded: Encoded): Promise<Run> {
  const { target, drafter, source } = request;
  const { costs, gamma = costs ? LARGEST_ADAPTIVE_GAMMA : DEFAULT_GAMMA } = settings;
  const largest = drafter ? gamma : 0;
  const numbers = request.random ?? seededRandom(settings.seed ?? 0);
  const random = request.trace?.overhear(numbers) ?? numbers;
  request.trace?.begin({ source, settings, startToken: target.startToken, drafter: drafter?.name ?? null });
  return {
    request,
    settings,
    verifier: verifierOf(settings, random, request.parts),
    name: settings.stream ?? 'main',
    gamma: costs ? adaptiveGamma(costs, largest) : fixedGamma(largest),
    maxNewTokens: settings.maxNewTokens ?? 128,
    draft: drafter && largest > 0 ? await drafter.open(source, encoded) : null,
    target: new Sequence(target, encoded),
    ids: [target.startToken],
    meter: new Meter(),
  };
}

/** Algorithm 1 of Leviathan et al. 2023, round after round until the sequence ends. */
async function* rounds(run: Run): AsyncGenerator<TokenEvent, GenerationResult, void> {
  const { ids, meter, name } = run;
  for (let round = 0; ; round++) {
    // 1. The draft proposes up to γ tokens, never more than could come out.
    const proposal = await propose(run, round);
    // 2. The target scores the last token and the whole proposal in one call: γ + 1 distributions.
    const targets = await meter.target(() => scored(run, proposal));
    // 3. Accept a prefix; correct the first rejected token, or draw a free one.
    const at = { stream: name, round, position: ids.length };
    const verdict = run.verifier.verify(proposal, targets, at);
    meter.round(proposal, targets, verdict.accepted, run.verifier.overlap);
    run.gamma.finished(proposal.length, verdict.accepted);
    // 4. Forget the keys of what was rejected: all but the newest token stays held.
    const events = eventsOf(run, proposal, verdict, round);
    const tokens = events.map((event) => event.token);
    run.request.trace?.round({ position: at.position, proposal, targets, verdict, tokens, spent: meter.spent });
    ids.push(...tokens);
    run.target.rewind(ids.length - 1);
    run.draft?.rewind(ids.length - 1);
    // 5. Hand the tokens out, up to whatever ends the sequence.
    for (const [i, event] of events.entries()) {
      meter.token();
      yield event;
      const stopReason = stopAt(run, event);
      if (stopReason) return finish(run, ids.length - events.length + i + 1, stopReason);
    }
  }
}

async function propose(run: Run, round: number): Promise<Draw[]> {
  if (run.request.signal?.aborted) throw new DecodingError('aborted', 'generation: cancelled');
  const { draft, meter, ids, verifier, name } = run;
  const gamma = Math.min(run.gamma.next(), run.maxNewTokens - ids.length);
  if (!draft || gamma <= 0) return [];
  const { eosTokens } = run.request.target;
  const draw = (distribution: Distribution, position: number) =>
    verifier.draw(distribution, { stream: name, round, position });
  const request = { ids, gamma, processing: run.settings, eosTokens, draw };
  const proposal = await meter.draft(() => draft.propose(request));
  meter.draftCalls = draft.calls;
  return proposal;
}

async function scored(run: Run, proposal: readonly Draw[]): Promise<Distribution[]> {
  const ids = [...run.ids, ...proposal.map((draw) => draw.token)];
  const rows = run.target.missing(ids);
  const view = await run.target.advance(ids);
  try {
    const { eosTokens } = run.request.target;
    const contexts = Array.from({ length: proposal.length + 1 }, (_, i) => ({
      ids: ids.slice(0, run.ids.length + i),
      eosTokens,
    }));
    return await rowDistributions(view, rows - proposal.length - 1, contexts, run.verifier.processing);
  } finally {
    view.release();
  }
}

/** The round's tokens as events, cut where the sequence is full or ends. */
function eventsOf(run: Run, proposal: readonly Draw[], verdict: Verdict, round: number): TokenEvent[] {
  const { accepted, next } = verdict;
  const last: TokenOrigin = accepted < proposal.length ? 'corrected' : proposal.length > 0 ? 'bonus' : 'target';
  const tokens = [...proposal.slice(0, accepted).map((draw) => draw.token), next.token];
  const first = run.ids.length - 1;
  const { eosTokens } = run.request.target;
  const end = tokens.findIndex((token) => eosTokens.includes(token));
  const count = Math.min(end < 0 ? tokens.length : end + 1, run.maxNewTokens - first);
  return tokens.slice(0, count).map((token, i) => ({
    token,
    origin: i < accepted ? 'accepted' : last,
    round,
    position: first + i,
    rejected: i === accepted && accepted < proposal.length ? proposal[i].token : null,
  }));
}

function stopAt(run: Run, event: TokenEvent): StopReason | null {
  if (run.request.target.eosTokens.includes(event.token)) return 'eos';
  if (run.request.stopAfter?.(event.token)) return 'stopped';
  return event.position + 1 >= run.maxNewTokens ? 'length' : null;
}

function finish(run: Run, length: number, stopReason: StopReason): GenerationResult {
  const { costs } = run.settings;
  const gamma = costs ? null : run.gamma.next();
  const metrics = run.meter.metrics(gamma, run.request.baseline ?? null, run.verifier.exact);
  const ids = run.ids.slice(1, length);
  run.request.trace?.finish(ids, stopReason);
  return { ids, stopReason, metrics };
}
