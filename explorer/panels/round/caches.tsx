import type { ShownRound } from '../../protocol';

/** Both caches after a round: rows that stay, and rows that are forgotten. */
export function Caches({ round }: { round: ShownRound }) {
  const { before, tree, proposals, accepted, tokens } = round;
  const proposed = tree?.length ?? proposals.length;
  const old = before - 1;
  const rows = [
    { name: 'target', fresh: proposed + 1, kept: tokens.length },
    { name: 'draft', fresh: proposed, kept: Math.min(accepted + 1, proposed, tokens.length) },
  ];
  return (
    <section class="caches" aria-label="Caches">
      {rows.map(({ name, fresh, kept }) => (
        <p key={name}>
          <span class="cache-name">
            <i class={`dot ${name}`} /> {name}
          </span>
          <span class="cells" aria-hidden="true">
            <i class="old">{old} old</i>
            {Array.from({ length: fresh }, (_, i) => (
              <i key={i} class={i < kept ? 'kept' : 'dropped'} />
            ))}
          </span>
          <span class="cache-note">
            {old + fresh} rows → {old + kept}
          </span>
        </p>
      ))}
    </section>
  );
}
