import { milliseconds } from '../../page/format';
import type { Run } from '../../page/run';
import { Gradually } from '../../page/stages';
import type { ShownToken } from '../../protocol';
import type { Playback } from './playback';

/** Tokens that one frame adds where a run is shown again. */
const PORTION = 40;

interface LaneProps {
  readonly title: string;
  readonly side: 'draft' | 'target';
  readonly run: Run;
  /** Milliseconds that the time strip stands for. */
  readonly scale: number;
  readonly playback: Playback;
}

/** A run: its text as it was decided, and its time. */
export function Lane({ title, side, run, scale, playback }: LaneProps) {
  const { tokens, finished } = run;
  const whole = finished?.milliseconds ?? tokens.at(-1)?.ms ?? 0;
  const now = Math.min(playback.time, whole);
  return (
    <section class={`lane ${side}`} aria-label={title}>
      <h2>
        <i class={`dot ${side}`} aria-hidden="true" />
        {title}
        <span class="clock">{milliseconds(now)}</span>
      </h2>
      <p class="text" data-finished={finished !== null} lang="en">
        <Gradually first={PORTION} each={PORTION}>
          {tokens.map((token, i) => (
            <Token key={i} token={token} isShown={token.ms <= playback.time} />
          ))}
        </Gradually>
        {tokens.length === 0 && <span class="waiting">…</span>}
      </p>
      <Strip tokens={tokens} scale={scale} now={now} />
    </section>
  );
}

function Token({ token: { text, origin }, isShown }: { token: ShownToken; isShown: boolean }) {
  return <span class={`token ${origin}${isShown ? '' : ' later'}`}>{text}</span>;
}

/** When each token was decided. A round's tokens come at one time, so they stand above each other. */
function Strip({ tokens, scale, now }: { tokens: readonly ShownToken[]; scale: number; now: number }) {
  const places = tokens.map((token, i) => {
    const first = tokens.findIndex(({ round }) => round === token.round);
    return { token, x: (token.ms / scale) * 100, level: Math.min(i - first, 6) };
  });
  return (
    <svg class="strip" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true">
      <line x1="0" x2="100" y1="27.5" y2="27.5" class="axis" vector-effect="non-scaling-stroke" />
      <Gradually first={PORTION} each={PORTION}>
        {places.map(({ token, x, level }, i) => (
          <rect
            key={i}
            class={`tick ${token.origin}${token.ms <= now + 0.01 ? '' : ' later'}`}
            x={Math.max(0, x - 0.5)}
            y={23 - level * 4}
            width="0.7"
            height="3.2"
          />
        ))}
      </Gradually>
    </svg>
  );
}
