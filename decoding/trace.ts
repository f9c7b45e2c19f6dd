import { quotedJson } from '../common';
import type { Source } from '../engine';
import { DecodingError } from './errors';
import type { Tally } from './metrics';
import { depthOf, type Proposal } from './proposal';
import { type Distribution, mostProbableEntries, tokenAt } from './sampling/distribution';
import { type Address, type Random, seededRandom } from './sampling/random';
import { DEFAULTS, type Settings } from './settings';
import { wrongInTrace } from './trace-fields';
import type { Verdict } from './verification/token';

const FORMAT = 'tandem-trace';
/** It rises whenever a reader of the old format would misread the new one. Version 2: addresses name a `sequence`. */
export const TRACE_VERSION = 2;

/** The most probable tokens of a distribution with their probabilities, most probable first; of equal ones the lower id first. */
export type TopEntries = readonly (readonly [token: number, probability: number])[];

/** One random decision. The numbers of a coupled run are not listed, because its seed gives them. */
export type Choice =
  | { readonly at: Address; readonly weight: number; readonly of: number; readonly accepted: boolean }
  | { readonly at: Address; readonly token: number };

/** A proposed token, and both models' distributions at its position. */
export interface TracedDraft {
  readonly token: number;
  /** Index in the proposal of the token that it follows; −1 for the first position. In a chain it is i − 1. */
  readonly parent: number;
  readonly draft: TopEntries;
  readonly target: TopEntries;
}

export interface TracedRound {
  /** Index of the first proposed token among the decoder ids; the start token is 0. */
  readonly position: number;
  readonly proposal: readonly TracedDraft[];
  readonly accepted: number;
  /** Indices in the proposal of the accepted tokens. */
  readonly path: readonly number[];
  /** Tokens that came out: the accepted ones and the one after, up to the end of the sequence. */
  readonly tokens: readonly number[];
  /** The token after the accepted ones, and the distribution that it was drawn from: the residual, or the target's own. */
  readonly next: { readonly token: number; readonly from: TopEntries };
  readonly choices: readonly Choice[];
  readonly milliseconds: { readonly draft: number; readonly target: number };
}

/** A whole run as data: JSON that can be drawn, and decoded again with the same choices (`replayRandom`). */
export interface Trace {
  readonly format: typeof FORMAT;
  readonly version: typeof TRACE_VERSION;
  /** As the request has it: ids, hidden ones included, and their mask where it has one. */
  readonly source: Source;
  readonly startToken: number;
  readonly drafter: string | null;
  readonly settings: Settings;
  readonly rounds: readonly TracedRound[];
  readonly ids: readonly number[];
  readonly stopReason: string | null;
}

/** What a recorder hears of one round. */
export interface RoundFacts {
  readonly position: number;
  readonly proposal: Proposal;
  readonly targets: readonly Distribution[];
  readonly verdict: Verdict;
  readonly tokens: readonly number[];
  /** The run's tally, this round included. */
  readonly tally: Pick<Tally, 'draftSeconds' | 'targetSeconds'>;
}

/** Records a run as a trace. Give it to `generate`, and read `trace` afterwards. One recorder serves one run. */
export class TraceRecorder {
  private head: Pick<Trace, 'source' | 'startToken' | 'drafter' | 'settings'> | null = null;
  private readonly rounds: TracedRound[] = [];
  private choices: Choice[] = [];
  private before: RoundFacts['tally'] = { draftSeconds: 0, targetSeconds: 0 };
  private end: Pick<Trace, 'ids' | 'stopReason'> | null = null;

  /** @param entries how many of the most probable tokens are kept of each distribution */
  constructor(private readonly entries = 5) {}

  /** The run so far, or the whole run when it has ended. */
  get trace(): Trace {
    if (!this.head) throw new DecodingError('option-invalid', 'trace: expected a run, found none begun');
    const ids = this.rounds.flatMap(({ tokens }) => tokens);
    const { end = null } = this;
    return {
      format: FORMAT,
      version: TRACE_VERSION,
      ...this.head,
      rounds: this.rounds,
      ...(end ?? { ids, stopReason: null }),
    };
  }

  begin(head: Pick<Trace, 'source' | 'startToken' | 'drafter' | 'settings'>): void {
    if (this.head) throw new DecodingError('option-invalid', 'trace: expected a new recorder, found one already used');
    this.head = { ...head, source: copyOf(head.source) };
  }

  /** The same random numbers; every choice is recorded. */
  listenTo(random: Random): Random {
    return {
      accept: (weight, of, at) => {
        const accepted = random.accept(weight, of, at);
        this.choices.push({ at, weight, of, accepted });
        return accepted;
      },
      categorical: (distribution, at) => {
        const token = random.categorical(distribution, at);
        this.choices.push({ at, token });
        return token;
      },
      exponential: random.exponential,
    };
  }

  round({ position, proposal, targets, verdict, tokens, tally }: RoundFacts): void {
    const top = (distribution: Distribution) => topEntries(distribution, this.entries);
    this.rounds.push({
      position,
      proposal: proposal.map(({ draw, parent }) => ({
        token: draw.token,
        parent,
        draft: top(draw.distribution),
        target: top(targets[parent + 1]),
      })),
      accepted: verdict.path.length,
      path: verdict.path,
      tokens: [...tokens],
      next: { token: verdict.next.token, from: top(verdict.next.distribution) },
      choices: this.choices,
      milliseconds: {
        draft: (tally.draftSeconds - this.before.draftSeconds) * 1000,
        target: (tally.targetSeconds - this.before.targetSeconds) * 1000,
      },
    });
    this.choices = [];
    this.before = tally;
  }

  finish(ids: readonly number[], stopReason: string): void {
    this.end = { ids: [...ids], stopReason };
  }
}

/** A source that later changes of the caller's arrays do not reach, and whose mask is a list in JSON too. */
function copyOf(source: Source): Source {
  return 'ids' in source ? { ids: [...source.ids], mask: Array.from(source.mask) } : [...source];
}

/** The `count` most probable tokens that have mass. */
export function topEntries(distribution: Distribution, count: number): TopEntries {
  return mostProbableEntries(distribution, count).map((i) => [tokenAt(distribution, i), distribution.probabilities[i]]);
}

/** Checks that a value from outside is a trace of this version. @throws DecodingError `option-invalid` */
export function readTrace(value: unknown): Trace {
  const trace = value as Partial<Trace> | null;
  if (trace?.format !== FORMAT || trace.version !== TRACE_VERSION) {
    const found = quotedJson([trace?.format, trace?.version]);
    throw new DecodingError('option-invalid', `trace: expected ${FORMAT}, version ${TRACE_VERSION}, found ${found}`);
  }
  const wrong = wrongInTrace(trace);
  if (wrong === null) return trace as Trace;
  throw new DecodingError('option-invalid', `trace: expected ${wrong.expected}, found ${quotedJson(wrong.found)}`);
}

/**
 * Random numbers that make every choice as the traced run did. `generate` with them, the trace's source and settings and the same
 * models runs the same rounds; where γ adapted, `replayGammas` is needed too. A choice that the trace does not have means that
 * something else has changed: it is an error.
 */
export function replayRandom(trace: Trace): Random {
  const known = new Map(trace.rounds.flatMap(({ choices }) => choices).map((choice) => [nameOf(choice.at), choice]));
  const recall = (at: Address): Choice => {
    const choice = known.get(nameOf(at));
    if (!choice) throw new DecodingError('option-invalid', `trace: expected a choice at ${nameOf(at)}, found none`);
    return choice;
  };
  const coupled = seededRandom(trace.settings.seed ?? DEFAULTS.seed);
  return {
    accept: (_weight, _of, at) => {
      const choice = recall(at);
      return 'accepted' in choice && choice.accepted;
    },
    categorical: (_distribution, at) => {
      const choice = recall(at);
      return 'token' in choice ? choice.token : -1;
    },
    exponential: coupled.exponential,
  };
}

/** γ of each round of a trace, for `SequenceRequest.gammas`: γ that adapts would be another one when the run is repeated. */
export function replayGammas({ rounds }: Trace): number[] {
  return rounds.map(({ proposal }) => depthOf(proposal));
}

function nameOf({ sequence, round, position, purpose }: Address): string {
  return `${sequence}/${round}/${position}/${purpose}`;
}
