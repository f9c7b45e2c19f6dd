import { fixed, visible } from '../../page/format';
import type { ShownRound } from '../../protocol';

/** What block verification tests: every prefix of the proposal, from the longest down. It keeps the first that passes. */
export function Prefixes({ round: { proposals, accepted } }: { round: ShownRound }) {
  let running = 1;
  const rows = proposals.map(({ target, draft, chance, number }, i) => {
    running = Math.min(1, (running * target) / draft);
    return { length: i + 1, running, chance, number, isTested: i + 1 >= accepted };
  });
  return (
    <table class="prefixes">
      <caption class="unseen">Prefixes that block verification tests, from the longest down</caption>
      <thead>
        <tr>
          <th scope="col">prefix</th>
          <th scope="col" title="the running acceptance, min(1, pᵢ₋₁ · p / q)">
            pᵢ
          </th>
          <th scope="col" title="the chance that this prefix is kept when no longer one was">
            hᵢ
          </th>
          <th scope="col">r</th>
          <th scope="col">verdict</th>
        </tr>
      </thead>
      <tbody>
        {rows.toReversed().map(({ length, running, chance, number, isTested }) => (
          <tr key={length} class={length === accepted ? 'marked' : ''}>
            <th scope="row">
              {proposals
                .slice(0, length)
                .map(({ label }) => visible(label))
                .join(' ')}
            </th>
            <td>{fixed(running, 3)}</td>
            <td>{isTested ? fixed(chance, 3) : ''}</td>
            <td>{number === null ? '' : fixed(number, 3)}</td>
            <td>{!isTested ? 'kept with it' : length === accepted ? '✓ kept' : '✗ rejected'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
