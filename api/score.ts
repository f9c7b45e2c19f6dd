import { Turns } from '../common';
import { scoreTargets } from '../decoding';
import type { Loaded } from './load';
import type { Score, ScoreOptions } from './score-options';
import { neededTokenizer, sourceOf, withoutLongText } from './source';
import type { Input } from './types';

/** Scores targets of one source. A text has its closing EOS scored, as a label in training has; ids are scored as they are. */
export async function scoreInputs(
  loaded: Loaded,
  { source, targets }: { readonly source: Input; readonly targets: readonly Input[] },
  options: ScoreOptions,
  signal: AbortSignal,
): Promise<Score[]> {
  const turns = new Turns();
  const scores = await scoreTargets({
    target: loaded.target,
    source: sourceOf(loaded, await withoutLongText(loaded, source, {}, signal)),
    targets: targets.map((target) => targetIds(loaded, target)),
    top: options.logProbs,
    signal,
    betweenCalls: () => turns.give(),
  });
  return scores.map(({ ids, logProb, tokens }) => ({ ids, logProb, logProbs: tokens }));
}

function targetIds(loaded: Loaded, input: Input): number[] {
  return typeof input === 'string' ? neededTokenizer(loaded).encode(input) : Array.from(input as readonly number[]); // a mask of a target is refused before
}
