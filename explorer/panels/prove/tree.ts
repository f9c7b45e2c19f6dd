import type { Path, PathStep } from '../../../testing/index';

/** A choice of the sampler as a rectangle: its width is the probability of all paths through it. */
export interface Node {
  readonly depth: number;
  readonly from: number;
  readonly to: number;
  readonly label: string;
  readonly kind: 'propose' | 'accept' | 'reject' | 'correct' | 'bonus' | 'text';
  /** Index of the text that all paths through it end in; null where they end in several. */
  readonly text: number | null;
  /** What it means, in words. */
  readonly title: string;
}

export const WORDS = ['red', 'green', 'blue'];
export const wordsOf = (text: string) => text.split(',').map((id) => WORDS[Number(id)]);

/** Which outcome a path's text is, among all texts. */
type IndexOf = (text: string) => number;

/** Lays the paths out from left to right, each as wide as its probability. Paths that begin alike share their first choices. */
export function treeOf(paths: readonly Path[], indexOf: IndexOf): Node[] {
  const nodes: Node[] = [];
  const place = (inside: readonly Path[], depth: number, from: number): void => {
    let at = from;
    for (const group of grouped(inside, depth)) {
      const to = at + group.reduce((sum, { probability }) => sum + probability, 0);
      const texts = new Set(group.map(({ outcome }) => outcome));
      const text = texts.size === 1 ? indexOf(group[0].outcome) : null;
      const step = group[0].steps[depth];
      if (step === undefined) {
        nodes.push({ depth, from: at, to, label: wordsOf(group[0].outcome).join(' '), kind: 'text', text, title: '' });
      } else {
        nodes.push({ depth, from: at, to, text, ...described(step) });
        place(group, depth + 1, at);
      }
      at = to;
    }
  };
  place(paths, 0, 0);
  return nodes;
}

/** Paths that made the same choice at a depth, in the order of the choices. */
function grouped(paths: readonly Path[], depth: number): Path[][] {
  const groups = new Map<string, Path[]>();
  const keyOf = ({ steps }: Path) => `${steps[depth]?.at.purpose}${String(steps[depth]?.chosen)}`;
  const sorted = [...paths].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
  for (const path of sorted) groups.set(keyOf(path), [...(groups.get(keyOf(path)) ?? []), path]);
  return [...groups.values()];
}

function described({ at, chosen, share }: PathStep): Pick<Node, 'label' | 'kind' | 'title'> {
  const said = `${(share * 100).toFixed(1)} % of the choice before it`;
  if (typeof chosen === 'boolean') {
    return {
      label: chosen ? 'keep' : 'reject',
      kind: chosen ? 'accept' : 'reject',
      title: `${chosen ? 'kept' : 'rejected'}: ${said}`,
    };
  }
  const kind = at.purpose === 'accept' ? 'propose' : at.purpose;
  return { label: WORDS[chosen], kind, title: `${kind} ${WORDS[chosen]}: ${said}` };
}
