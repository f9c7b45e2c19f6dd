import { Gradually } from '../../page/stages';
import type { Call } from './calls';

/** Calls, and rounds, that one frame adds. */
const PORTION = 20;

interface StripProps {
  readonly calls: readonly Call[];
  /** How many times as wide as its place the strip is. */
  readonly zoom: number;
  readonly chosen: number | null;
  readonly choose: (round: number) => void;
}

/** When each model worked: the draft above, the target below. A round is a button over both. */
export function Strip({ calls, zoom, chosen, choose }: StripProps) {
  const length = calls.at(-1)?.to ?? 1;
  const place = (from: number, to: number) => ({
    left: `${(from / length) * 100}%`,
    width: `${((to - from) / length) * 100}%`,
  });
  const rounds = new Map<number, { from: number; to: number }>();
  for (const { round, from, to } of calls) rounds.set(round, { from: rounds.get(round)?.from ?? from, to });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section class="scroll calls" tabIndex={0} aria-label="Calls of both models over time">
      <div class="calls-inner" style={{ width: `${zoom * 100}%` }}>
        <Gradually first={PORTION} each={PORTION}>
          {calls.map(({ side, round, from, to }) => (
            <i key={`${round} ${side}`} class={`call ${side}`} style={place(from, to)} />
          ))}
        </Gradually>
        <Gradually first={PORTION} each={PORTION}>
          {[...rounds].map(([round, { from, to }]) => (
            <button
              type="button"
              key={round}
              class="call-round"
              aria-label={`Round ${round + 1}`}
              aria-pressed={round === chosen}
              style={place(from, to)}
              onClick={() => choose(round)}
            />
          ))}
        </Gradually>
        <span class="calls-end">{length.toFixed(1)} ms</span>
      </div>
    </section>
  );
}
