import type { DecoderStream, Encoded } from '../../engine';
import type { Processing } from '../processing';
import type { Proposal } from '../proposal';
import type { Distribution } from '../sampling/distribution';
import type { Draw } from '../sampling/draw';
import type { RaceNumbers } from '../sampling/race';

/** What a drafter is asked for at the start of a round. */
export interface DraftRequest {
  /** Decoder ids so far, start token first. */
  readonly ids: readonly number[];
  /**
   * The target's stream, which has every id but the last one. A drafter that is part of the target goes on from a copy of it, and has
   * no cache of its own to keep up.
   */
  readonly targetStream?: DecoderStream;
  /** At most this many tokens, one after another, but for `stopping`. */
  readonly gamma: number;
  /** Where it is given, a drafter that knows how sure it is of its tokens may propose fewer than γ, or more. */
  readonly stopping?: DraftStopping;
  /** How the drafter's logits become the distributions that it draws from. */
  readonly processing: Processing;
  readonly eosTokens: readonly number[];
  /** Source ids and the length limit, for rules of `processing` that look at them. */
  readonly source?: readonly number[];
  readonly maxNewTokens?: number;
  /** Tokens wanted at each depth; 1 where it is left out. A drafter that cannot branch ignores it. */
  readonly branching?: readonly number[];
  /** The numbers of a position, where only the winner of a race by them is asked for. */
  readonly numbers?: (position: number) => (() => RaceNumbers | null) | undefined;
  /** Draws the token of a position in the way that this round's verification needs. */
  readonly draw: (distribution: Distribution, position: number) => Draw;
  /**
   * Guesses what `draw` draws at a position, from a distribution that is near its own. It takes no random number that anything else
   * takes, and leaves no record. For a drafter that has a draft of its own; default `draw`.
   */
  readonly guess?: (distribution: Distribution, position: number) => Draw;
  /**
   * Draws up to `count` different tokens for a position.
   *
   * @param branch tells the lines of a tree apart: '' for the first line, another text for every other line
   */
  readonly drawSeveral: (distribution: Distribution, count: number, position: number, branch: string) => Draw[];
}

/** Decides, token by token, how long a proposal gets. */
export interface DraftStopping {
  /** At most this many tokens. */
  readonly longest: number;
  /**
   * Whether to propose a token after this one.
   *
   * @param confidence the probability that the drafter gave to the token; null where it is not known
   * @param depth number of tokens proposed so far, this one included
   */
  goesOn(confidence: number | null, depth: number): boolean;
}

/** The most tokens that may be proposed. */
export function longestOf({ gamma, stopping }: Pick<DraftRequest, 'gamma' | 'stopping'>): number {
  return stopping?.longest ?? gamma;
}

/** Proposes tokens for one sequence. It may propose fewer than it is asked for, and never more. */
export interface DraftSession {
  propose(request: DraftRequest): Promise<Proposal>;
  /**
   * Says what verification decided: the sequence now has `length` ids, and what was proposed beyond them is gone.
   *
   * @param path indices of the accepted tokens of the last proposal
   */
  rewind(length: number, path: readonly number[]): void;
  /** Gives back what the session holds. */
  dispose(): void;
  /** Calls of the draft so far: the unit of c. */
  readonly calls: number;
}

/** One session and what it is asked for. */
export interface DraftTurn {
  readonly session: DraftSession;
  readonly request: DraftRequest;
}

/** Something that proposes tokens: a model, a table, the source text. */
export interface Drafter {
  readonly name: string;
  /** Number of token ids that proposals come from. It must equal the target's. */
  readonly vocabularySize: number;
  /**
   * Starts a sequence.
   *
   * @param source source ids, EOS included
   * @param encoded the target's encoding of the source, for drafters that are part of the target; the caller disposes it. Sequences
   * that share it may share what a drafter makes of the source
   * @param signal cancels what opening takes
   */
  open(source: readonly number[], encoded?: Encoded, signal?: AbortSignal): Promise<DraftSession>;
  /** Proposes for several sessions of this drafter in fewer model calls. When it is left out, each session proposes alone. */
  proposeAll?(turns: readonly DraftTurn[]): Promise<Proposal[]>;
}

/** The proposals of several sessions of one drafter. */
export async function proposeAll(drafter: Drafter, turns: readonly DraftTurn[]): Promise<Proposal[]> {
  return drafter.proposeAll ? drafter.proposeAll(turns) : proposeEach(turns);
}

/** The proposals of sessions that propose alone, one after another. */
export async function proposeEach(turns: readonly DraftTurn[]): Promise<Proposal[]> {
  const proposals: Proposal[] = [];
  for (const { session, request } of turns) proposals.push(await session.propose(request));
  return proposals;
}
