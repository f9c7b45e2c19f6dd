import { counted } from '../../../common';
import { fixed, percent } from '../../page/format';
import type { ShownNode, ShownPosition, ShownRound } from '../../protocol';
import type { Step } from './steps';

const quoted = (label: string) => `“${label === '</s>' ? 'end' : label.trim() || label}”`;

/** What a step did, in words. A screen reader reads it at each step. */
export function narrate(round: ShownRound, step: Step, verification: string): string {
  const { proposals, next, accepted, tree } = round;
  if (tree !== null && step.kind !== 'draw') return ofTree(round, tree, step);
  switch (step.kind) {
    case 'propose':
      return proposed(round, step.i);
    case 'score':
      return proposals.length === 0
        ? `Nothing was proposed. One call of the target gives its distribution at the next position.`
        : `One call of the target scores ${proposals.length + 1} positions at once: after each proposed token, and before the first. ` +
            `Where the bars overlap both models agree; that area is the chance that a token is kept: ${overlaps(round)}.`;
    case 'accept':
      return verification === 'coupled' ? coupled(round, step.i) : judged(round, step.i);
    case 'block':
      return `Block verification judges the proposal as a whole, from its longest prefix down. It keeps ${counted(accepted, 'token')} of ${proposals.length}.`;
    case 'adjust':
      return `${quoted(proposals[accepted].label)} is rejected. What the target wants more than the draft, max(0, p − q), is normalised: ${likeliest(next.from)}.`;
    case 'draw':
      return drawn(round);
    case 'caches':
      return cached(round);
  }
}

function ofTree({ accepted, before, tokens }: ShownRound, tree: readonly ShownNode[], { kind }: Step): string {
  const rejected = tree.filter(({ verdict }) => verdict === 'rejected').map(({ label }) => quoted(label));
  switch (kind) {
    case 'propose':
      return `The draft proposes a tree of ${counted(tree.length, 'candidate')}: several for one position, drawn without replacement.`;
    case 'score':
      return `One call of the target scores ${tree.length + 1} positions at once: each candidate sees its own path alone.`;
    case 'block':
      return (
        `The tree is judged from its root. Candidates for one position are tried one after the other; after a rejection the residual judges the next. ` +
        `${counted(accepted, 'token')} kept${rejected.length > 0 ? `; rejected: ${rejected.join(', ')}` : ''}.`
      );
    default:
      return `The target's cache held ${before + tree.length} rows and keeps ${before - 1 + tokens.length}: the path that was kept.`;
  }
}

function proposed({ proposals, positions }: ShownRound, i: number): string {
  const { label, draft, drawn } = proposals[i];
  const how =
    drawn.number === null
      ? `${quoted(label)} is its choice`
      : `the number ${fixed(drawn.number, 4)} falls on ${quoted(label)}, which it gives ${percent(draft)}`;
  const others = positions[i].entries.filter((entry) => entry.draft > 0.005).length;
  return `Position ${i + 1}: the draft's distribution has ${counted(others, 'token')} above half a percent; ${how}.`;
}

function overlaps({ positions }: ShownRound): string {
  return positions.flatMap(({ overlap }) => (overlap === null ? [] : [percent(overlap)])).join(', ');
}

function judged({ proposals }: ShownRound, i: number): string {
  const { label, target, draft, chance, number, verdict } = proposals[i];
  const says = `The target gives ${quoted(label)} ${percent(target)}, the draft ${percent(draft)}`;
  if (number === null) {
    return verdict === 'kept'
      ? `${says}: at least as much, so it is kept, and no number is needed.`
      : `${says}: it is rejected, and no number is needed.`;
  }
  const compared = `r = ${fixed(number, 4)} is ${verdict === 'kept' ? 'below' : 'not below'} p / q = ${fixed(chance, 4)}`;
  return `${says}. ${compared}: ${verdict === 'kept' ? 'it is kept' : 'it is rejected'}.`;
}

function coupled({ proposals }: ShownRound, i: number): string {
  const { label, verdict } = proposals[i];
  return verdict === 'kept'
    ? `Draft and target race by the same numbers, and ${quoted(label)} wins both races: it is kept.`
    : `Draft and target race by the same numbers. ${quoted(label)} wins the draft's race only: it is rejected.`;
}

function likeliest({ entries }: ShownPosition): string {
  const three = [...entries].sort((a, b) => b.target - a.target).filter(({ target }) => target > 0);
  return three
    .slice(0, 3)
    .map(({ label, target }) => `${quoted(label)} ${percent(target)}`)
    .join(', ');
}

function drawn({ next, accepted, proposals, tree }: ShownRound): string {
  const { number, label } = next.drawn;
  const from = next.kind === 'corrected' ? 'the residual' : 'the target’s own distribution';
  const why =
    next.kind === 'bonus'
      ? `${tree === null ? `All ${proposals.length} proposed tokens were kept` : 'The kept path ends at a leaf'}, so the target's last row gives one more token for free. `
      : '';
  const how =
    number === null ? `${quoted(label)} is taken` : `the number ${fixed(number, 4)} falls on ${quoted(label)}`;
  return `${why}The token after the ${accepted} kept comes from ${from}: ${how}.`;
}

function cached({ before, proposals, accepted, tokens }: ShownRound): string {
  const scored = before - 1 + proposals.length + 1;
  const dropped = proposals.length - accepted;
  return (
    `${counted(tokens.length, 'token')} for one call of the target: ${tokens.map(quoted).join(' ')}. ` +
    `The target's cache held ${scored} rows and forgets ${dropped}; the draft's forgets the same positions. Neither computes a kept row again.`
  );
}
