import type { DecoderStream, LogitsView, SequenceModel } from '../../engine';
import type { BeamDraft } from './draft';
import { OpenStreams, type Prefix, pathTo, rootsOf, rowsOf } from './prefixes';
import { type Continuation, continuations } from './scores';
import { type Beam, candidatesPerStep, type FinishedBeam, type Selection, select } from './selection';
import type { BeamRules } from './settings';

/** A hypothesis that a step keeps. */
export interface NextBeam {
  readonly beam: Beam;
  /** The prefix whose row gave its last token. */
  readonly from: Prefix;
  /** The prefix that equals it, when the draft proposed it: then its row is in the call too. Otherwise null. */
  readonly scored: Prefix | null;
}

/** The parts that make the search exact. Specs put known-wrong ones in their place. */
export interface BeamParts {
  readonly select: (
    beams: readonly Beam[],
    lists: readonly (readonly Continuation[])[],
    before: readonly FinishedBeam[],
    rules: BeamRules,
  ) => Selection;
  /** The hypotheses that the replay takes another step with; null ends the round. */
  readonly goOn: (kept: readonly NextBeam[]) => readonly NextBeam[] | null;
}

/** The replay goes on only when every hypothesis that the target keeps was scored: a missing one could be the best one's parent. */
function whenAllScored(kept: readonly NextBeam[]): readonly NextBeam[] | null {
  return kept.every(({ scored }) => scored !== null) ? kept : null;
}

export const exactBeamParts: BeamParts = { select, goOn: whenAllScored };

/** The search between two rounds, with its counts so far. */
export class BeamState {
  beams: readonly Beam[];
  finished: readonly FinishedBeam[] = [];
  done = false;
  /** Steps of beam search so far. */
  steps = 0;
  rounds = 0;
  targetRows = 0;
  targetMs = 0;
  draftMs = 0;
  proposedSteps = 0;
  private readonly openStreams = new OpenStreams();
  private streams: readonly DecoderStream[];

  constructor(
    private readonly target: SequenceModel,
    private readonly rules: BeamRules,
    private readonly parts: BeamParts,
    first: DecoderStream,
  ) {
    this.beams = [{ ids: [target.startToken], logProb: 0 }];
    this.streams = [this.openStreams.add(first)];
  }

  /** One target call, which gives at least one step of beam search. */
  async round(draft: BeamDraft | null, gamma: number): Promise<void> {
    // 1. PROPOSE: the draft searches ahead, but not to the last step, which the target's row makes.
    const steps = draft ? Math.min(gamma, this.rules.maxNewTokens - this.beams[0].ids.length) : 0;
    const start = performance.now();
    const roots = draft ? await draft.propose(this.beams, steps) : rootsOf(this.beams);
    const drafted = performance.now();
    // 2. SCORE: one call of the target scores the hypotheses and every prefix that the draft went through.
    const { rows, rowOf } = rowsOf(roots, this.streams);
    const view = await this.target.forward(rows);
    let kept: readonly NextBeam[];
    try {
      // 3. ACCEPT: beam search is replayed on the target's scores for as many steps as they allow.
      kept = await this.replay(view, roots, rowOf);
    } finally {
      view.dispose();
    }
    this.draftMs += drafted - start;
    this.targetMs += performance.now() - drafted;
    this.rounds++;
    this.targetRows += rows.length;
    this.proposedSteps += steps;
    // Each hypothesis goes on with the keys along its own path; all other keys are forgotten.
    this.streams = kept.map(({ from }) => {
      const path = pathTo(from).map((prefix) => rowOf.get(prefix) as number);
      return this.openStreams.add(this.streams[from.origin].fork(path));
    });
    this.openStreams.keepOnly(this.streams);
    draft?.continueFrom(kept.map(({ from }) => from));
    this.beams = kept.map(({ beam }) => beam);
  }

  dispose(): void {
    this.openStreams.keepOnly([]);
  }

  /** Takes steps until one keeps a hypothesis that was not scored, or the search ends. Returns the last step's hypotheses. */
  private async replay(
    view: LogitsView,
    roots: readonly Prefix[],
    rowOf: ReadonlyMap<Prefix, number>,
  ): Promise<readonly NextBeam[]> {
    let beams = this.beams;
    let scored = roots;
    for (;;) {
      const lists: Continuation[][] = [];
      for (const [i, beam] of beams.entries()) {
        lists.push(await this.continuationsOf(view, rowOf.get(scored[i]) as number, beam));
      }
      const { running, finished, done } = this.parts.select(beams, lists, this.finished, this.rules);
      this.steps++;
      this.finished = finished;
      this.done = done;
      const kept = running.map(({ parent, token, logProb }) => ({
        beam: { ids: [...beams[parent].ids, token], logProb },
        from: scored[parent],
        scored: scored[parent].children.get(token) ?? null,
      }));
      const onwards = done ? null : this.parts.goOn(kept);
      if (!onwards) return done ? [] : kept;
      beams = onwards.map(({ beam }) => beam);
      scored = onwards.map((one) => one.scored as Prefix);
    }
  }

  private continuationsOf(view: LogitsView, row: number, { ids }: Beam): Promise<Continuation[]> {
    const { numBeams, eosTokens, source, maxNewTokens, processing } = this.rules;
    const count = candidatesPerStep(numBeams, eosTokens);
    const context = { ids, eosTokens, source, maxNewTokens, isBeam: numBeams > 1 };
    return continuations(view, row, count, { context, processing });
  }
}
