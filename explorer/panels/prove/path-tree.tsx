import { useMemo } from 'preact/hooks';
import type { Proof } from '../../proof/prove';
import { type Node, treeOf } from './tree';

export interface HoverProps {
  readonly proof: Proof;
  /** Index of the text that is pointed at. */
  readonly hovered: number | null;
  readonly hover: (text: number | null) => void;
}

const LEVEL = 30;

/** Every path of the sampler, from the first choice above to the texts below. */
export function PathTree({ proof, hovered, hover }: HoverProps) {
  const nodes = useMemo(
    () => treeOf(proof.paths, (text) => proof.texts.findIndex((one) => one.text === text)),
    [proof],
  );
  const depth = Math.max(...nodes.map((node) => node.depth)) + 1;
  return (
    <figure class="tree">
      <div
        class="tree-levels"
        style={{ height: `${depth * LEVEL}px` }}
        aria-hidden="true"
        onPointerLeave={() => hover(null)}
      >
        {nodes.map((node) => (
          <Rectangle
            key={`${node.depth} ${node.from}`}
            node={node}
            isDim={hovered !== null && node.text !== hovered}
            hover={hover}
          />
        ))}
      </div>
      <figcaption class="legend">
        <span>
          <i class="swatch propose" /> the draft proposes
        </span>
        <span>
          <i class="swatch accept" /> kept
        </span>
        <span>
          <i class="swatch reject" /> rejected
        </span>
        <span>
          <i class="swatch correct" /> drawn from the residual, or from the target
        </span>
      </figcaption>
    </figure>
  );
}

function Rectangle({ node, isDim, hover }: { node: Node; isDim: boolean; hover: HoverProps['hover'] }) {
  const { from, to, depth, kind, label, text, title } = node;
  const style = {
    left: `${from * 100}%`,
    width: `${(to - from) * 100}%`,
    top: `${depth * LEVEL}px`,
    height: `${LEVEL - 2}px`,
  };
  return (
    <span
      class={`node ${kind} ${isDim ? 'dim' : ''}`}
      style={style}
      title={title || undefined}
      onPointerEnter={() => hover(text)}
    >
      {to - from > 0.045 ? label : ''}
    </span>
  );
}
