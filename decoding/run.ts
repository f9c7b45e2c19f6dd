import type { EncoderOptions, SequenceModel, Source } from '../engine';
import { openSamplingKernel } from '../kernels';
import type { Drafter, DraftSession } from './drafters/drafter';
import type { EncodingShare } from './encodings';
import { DecodingError } from './errors';
import { adaptiveGamma, fixedGamma, type GammaChooser, listedGamma } from './gamma/adaptive';
import { automaticGamma } from './gamma/automatic';
import { PairCosts } from './gamma/pair-costs';
import { checkAuto, costWayOf, type DraftingWay, draftingWay } from './gamma/way';
import { Meter, type Metrics, metricsOf } from './metrics';
import type { LogProbRow, TokenLogProb } from './sampling/log-probs';
import type { RaceNumbers } from './sampling/race';
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
  /**
   * Costs of this pair, which its runs with γ 'auto' learn and share. Without them each run learns its own.
   */
  readonly costs?: PairCosts | null;
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
  /** Called while the source is encoded, together with those of the requests that enter a batch with it. */
  readonly onEncoding?: EncoderOptions['onProgress'];
  /** Called once for each new token, in order, before it is handed out. */
  readonly readToken?: (token: number) => TokenReading;
  /**
   * γ of each round, in place of what the settings say; after them it is 0. With those of a trace (`replayGammas`) the run has its
   * rounds.
   */
  readonly gammas?: readonly number[];
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
  /** Draws as `verifier` does, by numbers of its own where the caller's may be read once only, and unheard by a trace. */
  readonly guesser: Verifier;
  readonly gamma: GammaChooser;
  readonly encoding: EncodingShare;
  /** The target's state. */
  readonly target: Sequence;
  /** The draft's state; null when nothing drafts, and until something is first proposed where γ is 'auto'. */
  draft: DraftSession | null;
  /** Opens the draft; null where it is open, and where nothing drafts. */
  openDraft: (() => Promise<DraftSession>) | null;
  /** Milliseconds that opening the draft took in this round. */
  openingMs: number | null;
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
  checkAuto(settings);
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
  const { trace } = request;
  const { source } = encoded; // of a masked source, the ids that are seen
  const { settings, gamma } = drafter ? wayOf(request, pair.costs) : alone(request);
  const numbers = request.random ?? seededRandom(settings.seed ?? DEFAULTS.seed);
  const random = trace?.listenTo(numbers) ?? numbers;
  trace?.begin({ source: request.source, settings, startToken: target.startToken, drafter: drafter?.name ?? null });
  if ((settings.temperature ?? 0) > 0) await openSamplingKernel();
  const verifier = verifierOf(settings, random, request.rule);
  const seeded = request.random ? seededRandom(settings.seed ?? DEFAULTS.seed) : numbers;
  const openDraft = drafter && gamma.fixed !== 0 ? () => drafter.open(source, encoded, signal) : null;
  const opensNow = openDraft !== null && gamma.costs === undefined;
  const meter = new Meter(); // what opening the draft takes is a part of the run, whenever that is
  return {
    pair,
    request,
    settings,
    maxNewTokens: settings.maxNewTokens ?? DEFAULTS.maxNewTokens,
    verifier,
    guesser: verifierOf(settings, seeded),
    gamma,
    encoding,
    draft: opensNow ? await openDraft() : null,
    openDraft: opensNow ? null : openDraft,
    openingMs: null,
    target: Sequence.open(target, encoded),
    ids: [target.startToken],
    meter,
    logProbRows: null,
    logProbs: [],
    rounds: 0,
  };
}

/** How a run chooses γ, and its settings with the verification in force. */
interface Way {
  readonly settings: Settings;
  readonly gamma: GammaChooser;
}

function alone({ settings = {} }: SequenceRequest): Way {
  return { settings: verified(settings, draftingWay(settings)), gamma: fixedGamma(0) };
}

/** The settings with the verification in force. A run without a draft draws as one with it does, so that a seed gives both one text. */
function verified(settings: Settings, { verification }: DraftingWay): Settings {
  return verification === 'coupled' ? { ...settings, verification } : settings;
}

function wayOf({ settings: asked = {}, gammas }: SequenceRequest, shared: PairCosts | null = null): Way {
  const way = draftingWay(asked);
  const { gamma, verification } = way;
  const settings = verified(asked, way);
  if (gammas) return { settings, gamma: listedGamma(gammas) };
  if (asked.costs) return { settings, gamma: adaptiveGamma(asked.costs, Number(gamma)) };
  if (gamma !== 'auto') return { settings, gamma: fixedGamma(gamma) };
  const isCoupled = verification === 'coupled';
  const costs = (shared ?? new PairCosts())[costWayOf(settings, isCoupled)];
  const stops = isCoupled || (settings.temperature ?? 0) === 0; // the text does not depend on how long proposals are
  return { settings, gamma: automaticGamma(costs, DEFAULTS.adaptiveGamma, stops) };
}

/** Gives back everything that a run holds, its share of the encoding included. */
export function disposeRun(run: Run): void {
  run.target.dispose();
  run.draft?.dispose();
  run.encoding.dispose();
}

/** The result of a run that has ended. */
export function resultOf(run: Run, stopReason: StopReason): GenerationResult {
  const gamma = run.gamma.fixed ?? undefined;
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

/**
 * The numbers of a position, where only the winner of a race by them is asked for. A trace has the distributions themselves.
 */
export function numbersOf(run: Run, position: number): (() => RaceNumbers | null) | undefined {
  const { verifier, request, pair } = run;
  if (request.trace) return undefined;
  return () => verifier.numbers?.(pair.target.vocabularySize, positionOf(run, position)) ?? null;
}

/** @throws DecodingError `aborted` */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new DecodingError('aborted', 'generation: cancelled');
}
