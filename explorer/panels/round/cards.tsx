import { useMemo } from 'preact/hooks';
import { percent, visible } from '../../page/format';
import { Gradually } from '../../page/stages';
import type { ShownRound } from '../../protocol';
import { Bars } from './bars';
import { type Known, knownAt, type Step } from './steps';

interface CardsProps {
  readonly round: ShownRound;
  readonly steps: readonly Step[];
  readonly now: number;
}

/** The positions of a round, each with what is known of it by now. */
export function Cards({ round, steps, now }: CardsProps) {
  return (
    <ol class={`cards at-${steps[now].kind}`} aria-label="Positions of this round">
      <Gradually>
        {round.positions.map((_, i) => (
          <Card
            key={i}
            round={round}
            i={i}
            known={knownAt(round, steps, now, i)}
            step={steps[now]}
            isOver={now === steps.length - 1}
          />
        ))}
      </Gradually>
    </ol>
  );
}

interface CardProps {
  readonly round: ShownRound;
  readonly i: number;
  readonly known: Known;
  readonly step: Step;
  readonly isOver: boolean;
}

/** A card is made again only where the step changes something of it. */
function Card(props: CardProps) {
  const { round, i, known, step, isOver } = props;
  const isOwn = i === round.accepted;
  return useMemo(() => <Position {...props} />, [round, JSON.stringify(known), isOver, isOwn && step.kind]);
}

function Position({ round, i, known, step, isOver }: CardProps) {
  const { positions, proposals, accepted, next } = round;
  const proposal = proposals[i];
  const position = positions[i];
  const isEnd = proposal === undefined;
  const isUnread = i > accepted && (known.judged || (known.scored && isOver));
  const isAdjusted = step.kind === 'adjust' && i === accepted;
  const isDrawn = step.kind === 'draw' && i === accepted;
  const shown = isAdjusted || (isDrawn && next.kind === 'corrected') ? next.from : position;
  const marked = isDrawn || (isOver && i === accepted) ? next.drawn.id : known.proposed ? proposal.id : null;
  const residual = shown === next.from && next.kind === 'corrected';
  const sides = { draft: known.proposed && !residual, target: known.scored };
  return (
    <li class={`card ${known.current ? 'current' : ''} ${isUnread ? 'unread' : ''}`} data-position={i + 1}>
      <header>
        <span class="place">{isEnd ? 'after all' : `x${subscript(i + 1)}`}</span>
        <strong>{isEnd ? '' : known.proposed ? visible(proposal.label) : '…'}</strong>
        <Chip round={round} i={i} known={known} isOver={isOver || isDrawn} />
      </header>
      {residual && <p class="residual-note">the residual, normalised</p>}
      {sides.draft || sides.target ? (
        <Bars position={shown} sides={sides} marked={marked} title={`Position ${i + 1} of the round`} />
      ) : (
        <p class="nothing">{isEnd ? 'the target’s own row' : 'not proposed yet'}</p>
      )}
      {known.proposed && known.scored && !residual && position.overlap !== null && (
        <p class="overlap">
          <i class="shared" /> Σ min(p, q) = {percent(position.overlap)}
        </p>
      )}
    </li>
  );
}

function Chip({ round, i, known, isOver }: Pick<CardProps, 'round' | 'i' | 'known' | 'isOver'>) {
  const { proposals, accepted, next } = round;
  const proposal = proposals[i];
  if (isOver && i === accepted) {
    const word = { corrected: 'corrected', bonus: 'free', target: 'target' }[next.kind];
    return (
      <span class={`chip-verdict ${next.kind}`}>
        {word}: {visible(next.drawn.label)}
      </span>
    );
  }
  if (proposal === undefined) return null;
  if (known.judged)
    return (
      <span class={`chip-verdict ${proposal.verdict}`}>
        {proposal.verdict === 'kept' ? '✓ kept' : proposal.verdict === 'rejected' ? '✗ rejected' : 'not read'}
      </span>
    );
  return null;
}

const SUBSCRIPTS = '₀₁₂₃₄₅₆₇₈₉';
export const subscript = (value: number) => [...String(value)].map((digit) => SUBSCRIPTS[Number(digit)]).join('');
