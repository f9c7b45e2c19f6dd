import { Turns } from '../common';
import { scoreTargets } from '../decoding';
import type { Loaded } from './load';
import type { Score, ScoreOptions } from './score-options';
import { idsOfText, neededTokenizer, sourceOf, withoutLongText } from './source';
import type { Input } from './types';

/** Scores targets of one source. A text has its closing EOS scored, as a label in training has; ids are scored as they are. */
export async function scoreInputs(
  loaded: Loaded,
  { source, targets }: { readonly source: Input; readonly targets: readonly Input[] },
  options: ScoreOptions,
  signal: AbortSignal,
): Promise<Score[]> {
  const turns = new Turns();
  const ids: number[][] = [];
  for (const target of targets) ids.push(await targetIds(loaded, target, signal));
  const scores = await scoreTargets({
    target: loaded.target,
    source: sourceOf(loaded, await withoutLongText(loaded, source, {}, signal)),
    targets: ids,
    top: options.logProbs,
    signal,
    betweenCalls: () => turns.give(),
  });
  return scores.map(({ ids, logProb, tokens }) => ({ ids, logProb, logProbs: tokens }));
}

async function targetIds(loaded: Loaded, input: Input, signal: AbortSignal): Promise<number[]> {
  if (typeof input === 'string') return await idsOfText(neededTokenizer(loaded), input, {}, signal);
  return Array.from(input as readonly number[]); // a mask of a target is refused before
}
