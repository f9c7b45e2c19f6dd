import type { DecoderStream, LogitsView, SequenceModel } from '../engine';
import type { BeamDraft } from './beam-draft';
import { OwnedStreams, type Prefix, pathTo, rootsOf, rowsOf } from './beam-prefixes';
import { type Continuation, continuations } from './beam-scores';
import { type Beam, candidatesPerStep, type FinishedBeam, type Selection, select } from './beam-selection';
import type { BeamRules } from './beam-settings';

/** A hypothesis that a step has kept. */
export interface Kept {
  readonly beam: Beam;
  /** The prefix whose row chose its last token. */
  readonly from: Prefix;
  /** Itself, when the draft proposed it: then its row is in the call too. */
  readonly scored: Prefix | null;
}

/** The parts that make the search exact; specs put wrong ones in their place. */
export interface BeamParts {
  readonly select: (
    beams: readonly Beam[],
    lists: readonly (readonly Continuation[])[],
    before: readonly FinishedBeam[],
    rules: BeamRules,
  ) => Selection;
  /** What the replay takes another step with; null ends the round. */
  readonly goOn: (kept: readonly Kept[]) => readonly Kept[] | null;
}

/** Exact only while the target's own selection has been scored whole: a missing hypothesis might be the best one's parent. */
function whenAllScored(kept: readonly Kept[]): readonly Kept[] | null {
  return kept.every(({ scored }) => scored !== null) ? kept : null;
}

export const exactBeamParts: BeamParts = { select, goOn: whenAllScored };

/** The search as it stands between rounds, and what it has cost. */
export class BeamState {
  beams: readonly Beam[];
  finished: readonly FinishedBeam[] = [];
  done = false;
  /** Steps of plain beam search that have been made. */
  steps = 0;
  rounds = 0;
  targetRows = 0;
  targetMs = 0;
  draftMs = 0;
  proposedLevels = 0;
  private readonly owned = new OwnedStreams();
  private streams: readonly DecoderStream[];

  constructor(
    private readonly target: SequenceModel,
    private readonly rules: BeamRules,
    private readonly parts: BeamParts,
    first: DecoderStream,
  ) {
    this.beams = [{ ids: [target.startToken], logProb: 0 }];
    this.streams = [this.owned.add(first)];
  }

  /** At least one step of beam search, for one target call. */
  async round(draft: BeamDraft | null, gamma: number): Promise<void> {
    // 1. The draft searches ahead, never further than the last step but one: the target's own row makes the last.
    const levels = draft ? Math.min(gamma, this.rules.maxNewTokens - this.beams[0].ids.length) : 0;
    const start = performance.now();
    const roots = draft ? await draft.propose(this.beams, levels) : rootsOf(this.beams);
    const drafted = performance.now();
    // 2. The target scores the hypotheses and every prefix that the draft went through in one call.
    const { rows, rowOf } = rowsOf(roots, this.streams);
    const view = await this.target.forward(rows);
    let kept: readonly Kept[];
    try {
      // 3. Beam search is replayed on the target's scores for as long as they reach.
      kept = await this.replay(view, roots, rowOf);
    } finally {
      view.dispose();
    }
    this.draftMs += drafted - start;
    this.targetMs += performance.now() - drafted;
    this.rounds++;
    this.targetRows += rows.length;
    this.proposedLevels += levels;
    // 4. What was kept goes on, each with the keys along its own path; every other key is forgotten.
    this.streams = kept.map(({ from }) => {
      const path = pathTo(from).map((prefix) => rowOf.get(prefix) as number);
      return this.owned.add(this.streams[from.origin].fork(path));
    });
    this.owned.keepOnly(this.streams);
    draft?.settle(kept.map(({ from }) => from));
    this.beams = kept.map(({ beam }) => beam);
  }

  dispose(): void {
    this.owned.keepOnly([]);
  }

  /** Steps until one keeps a hypothesis that was not scored, or the search is done; the last step's hypotheses. */
  private async replay(
    view: LogitsView,
    roots: readonly Prefix[],
    rowOf: ReadonlyMap<Prefix, number>,
  ): Promise<readonly Kept[]> {
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
    const { beams, eosTokens, processing } = this.rules;
    return continuations(view, row, candidatesPerStep(beams, eosTokens), { ids, eosTokens }, processing);
  }
}
