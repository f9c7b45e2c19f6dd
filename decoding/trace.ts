import type { Candidate, TreeVerdict } from './candidates';
import type { Distribution } from './distribution';
import { DecodingError } from './errors';
import { type Address, type Random, seededRandom } from './random';
import type { Settings } from './settings';

const FORMAT = 'tandem-trace';
/** Rises whenever a reader of the old schema would misread the new one. */
export const TRACE_VERSION = 1;

/** The most probable tokens of a distribution with their probabilities, most probable first, ties by id. */
export type TopEntries = readonly (readonly [token: number, probability: number])[];

/** A random decision, as it fell. Numbers of a coupled run are not listed: its seed gives them. */
export type Choice =
  | { readonly at: Address; readonly weight: number; readonly of: number; readonly accepted: boolean }
  | { readonly at: Address; readonly token: number };

/** A proposed token and what both models thought of its position. */
export interface TracedDraft {
  readonly token: number;
  /** Index in the proposal of the token that it follows, −1 for the first place; i − 1 throughout when there is one candidate a place. */
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
  /** Tokens that came out: the accepted ones and the one after, less what the end cut off. */
  readonly tokens: readonly number[];
  /** The token after the accepted ones, and what it was drawn from: the residual, or the target's own distribution. */
  readonly next: { readonly token: number; readonly from: TopEntries };
  readonly choices: readonly Choice[];
  readonly milliseconds: { readonly draft: number; readonly target: number };
}

/** A whole run as data: JSON that can be drawn, and executed again (`replayed`). */
export interface Trace {
  readonly format: typeof FORMAT;
  readonly version: typeof TRACE_VERSION;
  readonly source: readonly number[];
  readonly startToken: number;
  readonly drafter: string | null;
  readonly settings: Settings;
  readonly rounds: readonly TracedRound[];
  readonly ids: readonly number[];
  readonly stopReason: string | null;
}

interface Times {
  readonly draft: number;
  readonly target: number;
}

interface RoundFacts {
  readonly position: number;
  readonly tree: readonly Candidate[];
  readonly targets: readonly Distribution[];
  readonly verdict: TreeVerdict;
  readonly tokens: readonly number[];
  /** Milliseconds spent so far. */
  readonly spent: Times;
}

/** Writes a trace while a run goes on; give one to `generate`, and read `trace` afterwards. One recorder, one run. */
export class TraceRecorder {
  private head: Pick<Trace, 'source' | 'startToken' | 'drafter' | 'settings'> | null = null;
  private readonly rounds: TracedRound[] = [];
  private choices: Choice[] = [];
  private spent: Times = { draft: 0, target: 0 };
  private end: Pick<Trace, 'ids' | 'stopReason'> | null = null;

  /** @param entries tokens kept of each distribution */
  constructor(private readonly entries = 5) {}

  /** The run so far, or as it ended. */
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
    this.head = head;
  }

  /** The same random source, overheard. */
  overhear(random: Random): Random {
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
      exponential: (token, at) => random.exponential(token, at),
    };
  }

  round({ position, tree, targets, verdict, tokens, spent }: RoundFacts): void {
    const top = (distribution: Distribution) => topEntries(distribution, this.entries);
    this.rounds.push({
      position,
      proposal: tree.map(({ draw, parent }) => ({
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
      milliseconds: { draft: spent.draft - this.spent.draft, target: spent.target - this.spent.target },
    });
    this.choices = [];
    this.spent = spent;
  }

  finish(ids: readonly number[], stopReason: string): void {
    this.end = { ids: [...ids], stopReason };
  }
}

/** The `count` most probable tokens with mass. */
export function topEntries({ tokens, probabilities }: Distribution, count: number): TopEntries {
  const top: [number, number][] = [];
  for (let i = 0; i < probabilities.length; i++) {
    const probability = probabilities[i];
    if (probability <= 0 || (top.length === count && probability <= top[count - 1][1])) continue;
    let place = top.length;
    while (place > 0 && top[place - 1][1] < probability) place--;
    top.splice(place, 0, [tokens ? tokens[i] : i, probability]);
    if (top.length > count) top.pop();
  }
  return top;
}

/** Checks that a value read from elsewhere is a trace of this version. @throws DecodingError `option-invalid` */
export function readTrace(value: unknown): Trace {
  const trace = value as Partial<Trace> | null;
  if (trace?.format !== FORMAT || trace.version !== TRACE_VERSION) {
    const found = JSON.stringify([trace?.format, trace?.version]);
    throw new DecodingError('option-invalid', `trace: expected ${FORMAT}, version ${TRACE_VERSION}, found ${found}`);
  }
  if (!Array.isArray(trace.rounds) || !Array.isArray(trace.source) || !Array.isArray(trace.ids)) {
    throw new DecodingError('option-invalid', 'trace: expected lists of rounds, source and ids, found others');
  }
  return trace as Trace;
}

/**
 * The random source of a traced run: every choice falls as it fell. `generate` with it, the trace's source and settings and the
 * same models runs the same rounds; a choice that the trace does not know means that something else has changed.
 */
export function replayed(trace: Trace): Random {
  const known = new Map(trace.rounds.flatMap(({ choices }) => choices).map((choice) => [nameOf(choice.at), choice]));
  const recall = (at: Address): Choice => {
    const choice = known.get(nameOf(at));
    if (!choice) throw new DecodingError('option-invalid', `trace: expected a choice at ${nameOf(at)}, found none`);
    return choice;
  };
  const coupled = seededRandom(trace.settings.seed ?? 0);
  return {
    accept: (_weight, _of, at) => {
      const choice = recall(at);
      return 'accepted' in choice && choice.accepted;
    },
    categorical: (_distribution, at) => {
      const choice = recall(at);
      return 'token' in choice ? choice.token : -1;
    },
    exponential: (token, at) => coupled.exponential(token, at),
  };
}

function nameOf({ stream, round, position, purpose }: Address): string {
  return `${stream}/${round}/${position}/${purpose}`;
}
