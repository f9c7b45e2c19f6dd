import { hundredths, visible } from '../../page/format';
import type { ShownDraw, ShownEntry, ShownPosition } from '../../protocol';

interface BarsProps {
  readonly position: ShownPosition;
  /** Which distributions are known. */
  readonly sides: { readonly draft: boolean; readonly target: boolean };
  /** The token to point at. */
  readonly marked: number | null;
  /** What the bars are of, for a screen reader. */
  readonly title: string;
}

/**
 * Both distributions of a position, one bar a token: the part that both have, and what one of them has more. The shared parts
 * together are Σ min(p, q), the chance that a token of the draft is kept; what the target has more is the residual.
 */
export function Bars({ position: { entries, rest }, sides, marked, title }: BarsProps) {
  const of = ({ target, draft }: Pick<ShownEntry, 'target' | 'draft'>) => ({
    target: sides.target ? target : 0,
    draft: sides.draft ? draft : 0,
  });
  const rows = [
    ...entries
      .filter((entry) => sides.draft || !sides.target || entry.target > 0)
      .map((entry) => ({
        key: String(entry.id),
        label: visible(entry.label),
        isMarked: entry.id === marked,
        ...of(entry),
      })),
    { key: 'rest', label: 'all others', isMarked: false, ...of(rest) },
  ];
  return (
    <table class="bars">
      <caption class="unseen">{title}</caption>
      <thead>
        <tr>
          <th scope="col">
            <span class="unseen">token</span>
          </th>
          <th scope="col" class="drawing">
            <span class="unseen">bars</span>
          </th>
          <th scope="col" class="number draft" title="q: per cent in the draft’s distribution">
            q %
          </th>
          <th scope="col" class="number target" title="p: per cent in the target’s distribution">
            p %
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, label, isMarked, target, draft }) => (
          <tr key={key} class={`${isMarked ? 'marked' : ''} ${key === 'rest' ? 'rest' : ''}`}>
            <th scope="row">{label}</th>
            <td class="drawing">
              <Bar target={target} draft={draft} isCompared={sides.draft && sides.target} />
            </td>
            <td class="number draft">{sides.draft ? hundredths(draft) : ''}</td>
            <td class="number target">{sides.target ? hundredths(target) : ''}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Bar({ target, draft, isCompared }: { target: number; draft: number; isCompared: boolean }) {
  // Moved and stretched, not laid out: a bar that grows costs no layout.
  const piece = (from: number, to: number) => ({ transform: `translateX(${from * 100}%) scaleX(${to - from})` });
  const shared = isCompared ? Math.min(target, draft) : 0;
  return (
    <span class="bar-row" aria-hidden="true">
      {isCompared && <i class="shared" style={piece(0, shared)} />}
      <i class="draft" style={piece(shared, Math.max(shared, draft))} />
      <i class="target" style={piece(shared, Math.max(shared, target))} />
    </span>
  );
}

/** [0, 1) as the sampler lays it out, and the number that was drawn. */
export function DrawStrip({ drawn, side }: { drawn: ShownDraw; side: 'draft' | 'target' | 'residual' }) {
  return (
    <figure class={`strip-01 ${side}`} aria-hidden="true">
      <div class="pieces">
        {drawn.pieces.map(({ id, label, from, to }) => (
          <span
            key={from}
            class={id === drawn.id ? 'chosen' : id === null ? 'gap' : ''}
            style={{ left: `${from * 100}%`, width: `${(to - from) * 100}%` }}
          >
            {to - from > 0.08 ? visible(label) : ''}
          </span>
        ))}
      </div>
      <Mark number={drawn.number} name="u" />
    </figure>
  );
}

/** [0, 1) cut at the chance, and the number that decided. */
export function ChanceStrip({ chance, number }: { chance: number; number: number | null }) {
  return (
    <figure class="strip-01 chance" aria-hidden="true">
      <div class="pieces">
        <span class="keep" style={{ left: 0, width: `${chance * 100}%` }}>
          {chance > 0.1 ? 'keep' : ''}
        </span>
        <span class="reject" style={{ left: `${chance * 100}%`, width: `${(1 - chance) * 100}%` }}>
          {chance < 0.9 ? 'reject' : ''}
        </span>
      </div>
      <Mark number={number} name="r" />
    </figure>
  );
}

function Mark({ number, name }: { number: number | null; name: string }) {
  if (number === null) return null;
  const side = number > 0.7 ? 'left' : 'right';
  return (
    <span class={`mark to-${side}`} style={{ left: `${number * 100}%` }}>
      <b>
        {name} = {number.toFixed(4)}
      </b>
    </span>
  );
}
