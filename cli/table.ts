export type Cell = string | number;

/** Columns under a heading: the first to the left, figures to the right. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, i) => Math.max(...lines.map((row) => [...row[i]].length)));
  const padded = (text: string, i: number) => {
    const blank = ' '.repeat(widths[i] - [...text].length);
    return i === 0 ? text + blank : blank + text;
  };
  return `${lines.map((row) => `  ${row.map(padded).join('  ')}`.trimEnd()).join('\n')}\n`;
}
