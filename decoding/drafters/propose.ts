import { allIds } from '../../engine';
import { Failure } from '../failure';
import type { Proposal } from '../proposal';
import { checkSignal, numbersOf, positionOf, type Run } from '../run';
import { type Drafter, type DraftRequest, type DraftTurn, proposeAll } from './drafter';

interface Turn extends DraftTurn {
  /** Index of the run. */
  readonly index: number;
}

/** Step 1 of a round: a proposal for each run, never longer than what can still come out; empty where nothing drafts. */
export async function propose(runs: readonly Run[]): Promise<(Proposal | Failure)[]> {
  const proposals: (Proposal | Failure)[] = runs.map(() => []);
  const turns: Turn[] = [];
  for (const [index, run] of runs.entries()) {
    try {
      checkSignal(run.request.signal);
    } catch (error) {
      proposals[index] = new Failure(error);
      continue;
    }
    const left = run.maxNewTokens - run.ids.length;
    const state = { streams: runs.length, isOpen: run.draft !== null, left: left + 1 };
    const gamma = Math.min(run.gamma.next(state), left);
    const failure = gamma > 0 && run.openDraft ? await openDraft(run, run.openDraft) : null;
    if (failure) proposals[index] = failure;
    else if (run.draft && gamma > 0) turns.push({ index, session: run.draft, request: requestOf(run, gamma, left) });
  }
  const drafter = runs[0]?.pair.drafter;
  if (!drafter || turns.length === 0) return proposals;
  const start = performance.now();
  const found = await proposeOrFail(drafter, turns);
  const share = (performance.now() - start) / turns.length;
  for (const [i, { index, session }] of turns.entries()) {
    proposals[index] = found[i];
    runs[index].meter.drafting(share, session.calls);
  }
  return proposals;
}

/** Opens the draft of a run that has not proposed before. */
async function openDraft(run: Run, open: NonNullable<Run['openDraft']>): Promise<Failure | null> {
  const start = performance.now();
  try {
    run.draft = await open();
    run.openDraft = null;
    run.openingMs = performance.now() - start;
    return null;
  } catch (error) {
    return new Failure(error);
  }
}

/** Proposes for all turns in shared calls. When that fails, each turn is tried alone, to find out whose error it was. */
async function proposeOrFail(drafter: Drafter, turns: readonly Turn[]): Promise<(Proposal | Failure)[]> {
  try {
    return await proposeAll(drafter, turns);
  } catch (error) {
    if (turns.length === 1) return [new Failure(error)];
    const alone: (Proposal | Failure)[] = [];
    for (const turn of turns) {
      turn.session.rewind(turn.request.ids.length - 1, []); // forget what the failed call left behind
      alone.push(...(await proposeOrFail(drafter, [turn])));
    }
    return alone;
  }
}

/** @param left tokens that may still come out */
function requestOf(run: Run, gamma: number, left: number): DraftRequest {
  const { ids, verifier, guesser, settings, pair, request, maxNewTokens } = run;
  const { stopping } = run.gamma;
  return {
    ids,
    targetStream: run.target.stream,
    gamma,
    stopping: stopping && { ...stopping, longest: Math.min(stopping.longest, left) },
    processing: verifier.draftProcessing,
    eosTokens: pair.target.eosTokens,
    source: allIds(request.source),
    maxNewTokens,
    branching: settings.branching,
    numbers: settings.branching ? undefined : (position) => numbersOf(run, position),
    draw: (distribution, position) => verifier.draw(distribution, 1, positionOf(run, position))[0],
    guess: (distribution, position) => guesser.draw(distribution, 1, positionOf(run, position))[0],
    drawSeveral: (distribution, count, position, branch) =>
      verifier.draw(distribution, count, positionOf(run, position, branch)),
  };
}
