import type { SequenceModel, Source } from '../engine';
import { openSamplingKernel } from '../kernels';
import type { Drafter, DraftSession } from './drafters/drafter';
import type { EncodingShare } from './encodings';
import { DecodingError } from './errors';
import { adaptiveGamma, fixedGamma, type GammaChooser } from './gamma/adaptive';
import { Meter, type Metrics, metricsOf } from './metrics';
import type { LogProbRow, TokenLogProb } from './sampling/log-probs';
import { type Position, type Random, seededRandom } from './sampling/random';
import { Sequence } from './sequence';
import { checkSettings, DEFAULTS, type Settings } from './settings';
import type { TraceRecorder } from './trace';
import type { TokenRule } from './verification/token';
import { type Verifier, verifierOf } from './verification/verifier';

/** The models of a run. */
export interface Pair {
  readonly target: SequenceModel;
  /** Proposes tokens. Without one, decoding is autoregressive. */
  readonly drafter?: Drafter | null;
}

/** What a new token means to the caller. */
export interface TokenReading {
  /** Text that became certain by this token; it may be empty, for example inside a character of several bytes. */
  readonly text: string;
  /** Whether the sequence ends with this token, for example because of a stop string. */
  readonly stop: boolean;
}

/** One sequence to decode. */
export interface SequenceRequest {
  /**
   * Source ids, EOS included, perhaps with a mask. Requests of a batch that have one and the same object, as samples do, share its
   * encoding.
   */
  readonly source: Source;
  readonly settings?: Settings;
  /** Default: counter-based random numbers from `settings.seed`. */
  readonly random?: Random;
  readonly signal?: AbortSignal;
  /** Called once for each new token, in order, before it is handed out. */
  readonly readToken?: (token: number) => TokenReading;
  /** Records every round as data. One recorder serves one run. */
  readonly trace?: TraceRecorder;
  /** @internal For proofs, which known-wrong rules must fail. */
  readonly rule?: TokenRule;
}

export type StopReason = 'eos' | 'length' | 'stop';

export interface GenerationResult {
  /** New tokens, without the start token; a closing EOS is included. */
  readonly ids: readonly number[];
  readonly stopReason: StopReason;
  /** One for each id, where `Settings.logProbs` asks for them. */
  readonly logProbs?: readonly TokenLogProb[];
  readonly metrics: Metrics;
}

/** One sequence that is being decoded. */
export interface Run {
  readonly pair: Pair;
  readonly request: SequenceRequest;
  readonly settings: Settings;
  readonly maxNewTokens: number;
  readonly verifier: Verifier;
  readonly gamma: GammaChooser;
  readonly encoding: EncodingShare;
  /** The target's state. */
  readonly target: Sequence;
  /** The draft's state; null when nothing drafts. */
  readonly draft: DraftSession | null;
  /** Decoder ids so far, start token first. */
  readonly ids: number[];
  readonly meter: Meter;
  /** What the target says at each row of this round, where log-probabilities are asked for. */
  logProbRows: readonly LogProbRow[] | null;
  /** Log-probabilities of the new tokens so far. */
  readonly logProbs: TokenLogProb[];
  /** Rounds that are finished. */
  rounds: number;
}

/** @throws DecodingError `option-invalid` or `vocabulary-mismatch` */
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

/**
 * Starts a run over a source that the target has encoded. `disposeRun` gives back the run and its share of the encoding.
 *
 * @param signal cancels opening the draft
 */
export async function startRun(
  pair: Pair,
  request: SequenceRequest,
  encoding: EncodingShare,
  signal: AbortSignal | undefined = request.signal,
): Promise<Run> {
  const { target, drafter } = pair;
  const { encoded } = encoding;
  const { settings = {}, trace } = request;
  const { source } = encoded; // of a masked source, the ids that are seen
  const numbers = request.random ?? seededRandom(settings.seed ?? DEFAULTS.seed);
  const random = trace?.listenTo(numbers) ?? numbers;
  trace?.begin({ source: request.source, settings, startToken: target.startToken, drafter: drafter?.name ?? null });
  if ((settings.temperature ?? 0) > 0) await openSamplingKernel();
  const largest = drafter ? largestGamma(settings) : 0;
  const verifier = verifierOf(settings, random, request.rule);
  const draft = drafter && largest > 0 ? await drafter.open(source, encoded, signal) : null;
  return {
    pair,
    request,
    settings,
    maxNewTokens: settings.maxNewTokens ?? DEFAULTS.maxNewTokens,
    verifier,
    gamma: settings.costs ? adaptiveGamma(settings.costs, largest) : fixedGamma(largest),
    encoding,
    draft,
    target: Sequence.open(target, encoded),
    ids: [target.startToken],
    meter: new Meter(),
    logProbRows: null,
    logProbs: [],
    rounds: 0,
  };
}

function largestGamma({ gamma, branching, costs }: Settings): number {
  return gamma ?? branching?.length ?? (costs ? DEFAULTS.adaptiveGamma : DEFAULTS.gamma);
}

/** Gives back everything that a run holds, its share of the encoding included. */
export function disposeRun(run: Run): void {
  run.target.dispose();
  run.draft?.dispose();
  run.encoding.dispose();
}

/** The result of a run that has ended. */
export function resultOf(run: Run, stopReason: StopReason): GenerationResult {
  const gamma = run.settings.costs ? undefined : run.gamma.next();
  const metrics = metricsOf(run.meter.tally, { gamma, exact: run.verifier.exact });
  const ids = run.ids.slice(1);
  run.request.trace?.finish(ids, stopReason);
  const logProbs = run.settings.logProbs === undefined ? {} : { logProbs: run.logProbs };
  return { ids, stopReason, ...logProbs, metrics };
}

/** The position in the present round that a random number belongs to. `branch` tells the lines of a tree apart. */
export function positionOf({ settings, rounds }: Run, position: number, branch = ''): Position {
  return { sequence: (settings.sequence ?? DEFAULTS.sequence) + branch, round: rounds, position };
}

/** @throws DecodingError `aborted` */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new DecodingError('aborted', 'generation: cancelled');
}
