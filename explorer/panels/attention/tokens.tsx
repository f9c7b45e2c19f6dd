import { useRef } from 'preact/hooks';
import { visible } from '../../page/format';
import { usePortion } from '../../page/stages';

/** Tokens that one frame adds. */
const PORTION = 80;

interface TokensProps {
  readonly title: string;
  readonly labels: readonly string[];
  /** How dark each token is, from 0 to 1; null where nothing is shown of them. */
  readonly shades: readonly number[] | null;
  readonly chosen: number | null;
  /** Tokens with a frame, by place, and what it means. */
  readonly framed: ReadonlyMap<number, string>;
  readonly choose: (place: number) => void;
}

/** A text as tokens of which one can be chosen: one stop of the keyboard, and arrows inside. */
export function Tokens({ title, labels, shades, chosen, framed, choose }: TokensProps) {
  const list = useRef<HTMLElement>(null);
  const shown = usePortion(labels.length, PORTION);
  const move = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const to = Math.min(Math.max((chosen ?? -step) + step, 0), labels.length - 1);
    choose(to);
    (list.current?.children[to] as HTMLElement | undefined)?.focus();
  };
  return (
    <section class="lane" aria-label={title}>
      <h2>{title}</h2>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot flow like a text */}
      <section class="read-tokens" role="group" aria-label={`Tokens: ${title}`} ref={list} onKeyDown={move}>
        {labels.slice(0, shown).map((label, i) => (
          <button
            type="button"
            key={i}
            tabIndex={i === (chosen ?? 0) ? 0 : -1}
            aria-pressed={i === chosen}
            class={framed.has(i) ? 'framed' : ''}
            title={framed.get(i)}
            style={shades === null ? undefined : { '--shade': `${Math.round(shades[i] * 100)}%` }}
            onClick={() => choose(i)}
          >
            {visible(label)}
          </button>
        ))}
      </section>
    </section>
  );
}
