import { allIds, type DecoderRow, type LogitsView } from '../../engine';
import { Failure } from '../failure';
import { type Proposal, ROOT, tokensTo } from '../proposal';
import { numbersOf, type Run } from '../run';
import type { Distribution } from './distribution';
import { LogProbRow } from './log-probs';
import { type RowRequest, rowDistributions } from './processors';

/**
 * Step 2 of a round: the target's distributions before a proposal and after each of its tokens, [proposal.length + 1], for each
 * run. All runs share one call of the target.
 */
export async function score(
  runs: readonly Run[],
  proposals: readonly (Proposal | Failure)[],
): Promise<(readonly Distribution[] | Failure)[]> {
  const start = performance.now();
  const scored: (readonly Distribution[] | Failure)[] = proposals.map((proposal) =>
    proposal instanceof Failure ? proposal : [],
  );
  const parts: { index: number; requests: RowRequest[] }[] = [];
  const rows: DecoderRow[] = [];
  for (const [index, proposal] of proposals.entries()) {
    if (proposal instanceof Failure) continue;
    rows.push(...runs[index].target.rows(runs[index].ids, proposal, rows.length));
    parts.push({ index, requests: requestsOf(runs[index], proposal, rows.length) });
  }
  if (parts.length === 0) return scored;
  try {
    // A call of several runs goes on when one of them is cancelled.
    const signal = runs.length === 1 ? runs[0].request.signal : undefined;
    const view = await runs[0].pair.target.forward(rows, { signal });
    try {
      const distributions = await rowDistributions(
        view,
        parts.map(({ requests }) => requests),
      );
      for (const [i, { index, requests }] of parts.entries()) {
        scored[index] = distributions[i];
        if (!(distributions[i] instanceof Failure)) await readLogProbs(runs[index], view, requests);
      }
    } finally {
      view.dispose();
    }
  } catch (error) {
    for (const { index } of parts) scored[index] = new Failure(error);
  }
  const share = (performance.now() - start) / parts.length;
  for (const { index } of parts) runs[index].meter.targetCall(share);
  return scored;
}

/** Keeps what the target says at a run's rows, where the run asks for log-probabilities. */
async function readLogProbs(run: Run, view: LogitsView, requests: readonly RowRequest[]): Promise<void> {
  const { logProbs } = run.settings;
  if (logProbs === undefined) return;
  const rows: LogProbRow[] = [];
  for (const { row, context } of requests)
    rows.push(await LogProbRow.read(view, row, logProbs, { position: context.ids.length }));
  run.logProbRows = rows;
}

/** @param end number of rows in the call up to this run's last one */
function requestsOf(run: Run, proposal: Proposal, end: number): RowRequest[] {
  const { eosTokens } = run.pair.target;
  const { maxNewTokens, request } = run;
  const first = end - proposal.length - 1;
  return Array.from({ length: proposal.length + 1 }, (_, i) => {
    const ids = [...run.ids, ...tokensTo(proposal, i + ROOT)];
    return {
      row: first + i,
      context: { ids, eosTokens, source: allIds(request.source), maxNewTokens },
      processing: run.verifier.targetProcessing,
      numbers: numbersOf(run, ids.length),
    };
  });
}
