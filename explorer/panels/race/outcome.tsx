import { fixed, milliseconds, percent } from '../../page/format';
import type { RunSettings } from '../../page/settings';
import type { Both } from './both';

/** What the race came to. */
export function Outcome({ both: { drafted, alone }, settings }: { both: Both; settings: RunSettings }) {
  if (drafted.finished === null || alone.finished === null) return <div class="outcome" aria-busy="true" />;
  const { metrics, ids } = drafted.finished.result;
  const other = alone.finished.result;
  const perToken = (run: { milliseconds: number }, count: number) => run.milliseconds / count;
  const speedup = perToken(alone.finished, other.ids.length) / perToken(drafted.finished, ids.length);
  const isSame = ids.length === other.ids.length && ids.every((id, i) => id === other.ids[i]);
  return (
    <section class="outcome" aria-label="Result">
      <dl>
        <Figure name="speed-up" value={`${fixed(speedup, 2)}×`} note="time a token, alone / with the draft" isBig />
        <Figure
          name="time"
          value={milliseconds(drafted.finished.milliseconds)}
          note={`${milliseconds(alone.finished.milliseconds)} alone`}
        />
        <Figure
          name="acceptance rate α"
          value={percent(metrics.acceptanceRate)}
          note={`${metrics.accepted} of ${metrics.proposed} kept`}
        />
        <Figure
          name="tokens a target call"
          value={fixed(metrics.tokensPerTargetCall, 2)}
          note={`${metrics.targetCalls} calls, ${other.metrics.targetCalls} alone`}
        />
      </dl>
      <p class="verdict" id="verdict">
        {verdictOf(isSame, settings)}
      </p>
    </section>
  );
}

function verdictOf(isSame: boolean, { temperature, lenience, verification }: RunSettings): string {
  if (lenience < 1) return 'Lenient verification is faster and is not exact: this text need not be the target’s.';
  if (temperature === 0) {
    return isSame ? '✓ The same text, token for token.' : 'The texts differ, which must not happen at temperature 0.';
  }
  if (verification === 'coupled') return 'Coupled verification: the seed fixes the text, whatever the draft.';
  return 'Above temperature 0 both texts are drawn from one distribution, by other numbers: they need not be the same.';
}

interface FigureProps {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly isBig?: boolean;
}

function Figure({ name, value, note, isBig = false }: FigureProps) {
  return (
    <div class={isBig ? 'figure big' : 'figure'}>
      <dt>{name}</dt>
      <dd>
        <strong>{value}</strong> <small>{note}</small>
      </dd>
    </div>
  );
}
