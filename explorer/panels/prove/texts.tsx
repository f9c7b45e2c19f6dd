import type { HoverProps } from './path-tree';
import { wordsOf } from './tree';

/** Each text's probability: the target's own, and what the sampler's paths add up to. */
export function Texts({ proof: { texts }, hovered, hover }: HoverProps) {
  const most = Math.max(...texts.flatMap(({ target, sampler }) => [target, sampler]));
  const width = (value: number) => ({ width: `${(value / most) * 100}%` });
  return (
    <table class="texts">
      <caption>What the paths add up to, and what the target gives</caption>
      <thead>
        <tr>
          <th scope="col">text</th>
          <th scope="col" class="drawing">
            <span class="unseen">bars</span>
          </th>
          <th scope="col" class="number">
            sampler %
          </th>
          <th scope="col" class="number">
            target %
          </th>
          <th scope="col" class="number">
            difference
          </th>
        </tr>
      </thead>
      <tbody onPointerLeave={() => hover(null)}>
        {texts.map(({ text, target, sampler }, i) => {
          const difference = sampler - target;
          const isBent = Math.abs(difference) > 1e-12;
          return (
            <tr key={text} class={hovered === i ? 'marked' : ''} onPointerEnter={() => hover(i)}>
              <th scope="row">{wordsOf(text).join(' ')}</th>
              <td class="drawing">
                <span class="pair" aria-hidden="true">
                  <i class={isBent ? 'sampler bent' : 'sampler'} style={width(sampler)} />
                  <i class="truth" style={{ left: `${(target / most) * 100}%` }} />
                </span>
              </td>
              <td class="number">{(sampler * 100).toFixed(2)}</td>
              <td class="number">{(target * 100).toFixed(2)}</td>
              <td class={isBent ? 'number bent' : 'number'}>
                {isBent ? `${difference > 0 ? '+' : '−'}${Math.abs(difference * 100).toFixed(2)}` : '0'}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
