import { hundredths, visible } from '../../page/format';
import { usePortion } from '../../page/stages';
import type { ShownNode } from '../../protocol';

interface TreeProps {
  readonly nodes: readonly ShownNode[];
  /** What is known by now: the target's part, and what was decided. */
  readonly isScored: boolean;
  readonly isJudged: boolean;
}

/** Candidates that one frame adds: a candidate stands before those that follow it. */
const PORTION = 8;
const WORDS = { kept: '✓ kept', rejected: '✗ rejected', unread: 'not read' } as const;

/** A tree of candidates, from left to right: tokens under each other stand for the same position. */
export function Tree({ nodes, ...props }: TreeProps) {
  const shown = usePortion(nodes.length, PORTION);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section class="scroll candidates" tabIndex={0} aria-label="The tree of candidates">
      <Children of={-1} nodes={nodes.slice(0, shown)} {...props} />
    </section>
  );
}

function Children({ of, ...props }: TreeProps & { of: number }) {
  const { nodes, isScored, isJudged } = props;
  const children = nodes.flatMap((node, i) => (node.parent === of ? [{ ...node, i }] : []));
  if (children.length === 0) return null;
  return (
    <ul>
      {children.map(({ i, label, draft, target, verdict }) => (
        <li key={i}>
          <span class={`candidate ${isJudged ? verdict : ''}`}>
            <strong>{visible(label)}</strong>
            <span class="draft">q {hundredths(draft)} %</span>
            {isScored && <span class="target">p {hundredths(target)} %</span>}
            {isJudged && <em>{WORDS[verdict]}</em>}
          </span>
          <Children of={i} {...props} />
        </li>
      ))}
    </ul>
  );
}
