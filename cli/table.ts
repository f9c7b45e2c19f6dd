export type Cell = string | number;

export interface Column {
  readonly align: 'left' | 'right';
  /** Called on a padded cell, e.g. to colour it. Colour codes have no width, so they come after the padding. */
  readonly paint?: (cell: string) => string;
}

/** Lays rows out in columns of equal width, two spaces apart, without spaces at the end of a line. */
export function columns(rows: readonly (readonly Cell[])[], layout: readonly Column[], indent = ''): string {
  const cells = rows.map((row) => row.map(String));
  const widths = layout.map((_, i) => Math.max(0, ...cells.map((row) => width(row[i] ?? ''))));
  const line = (row: readonly string[]) => {
    const last = row.findLastIndex((cell) => cell !== '');
    const padded = row.slice(0, last + 1).map((cell, i) => {
      const { align, paint = (text: string) => text } = layout[i];
      const blank = ' '.repeat(widths[i] - width(cell));
      if (align === 'right') return paint(blank + cell);
      return paint(i === last ? cell : cell + blank);
    });
    return `${indent}${padded.join('  ')}`.trimEnd();
  };
  return `${cells.map(line).join('\n')}\n`;
}

/** A table under a heading, indented: the first column to the left, figures to the right. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const layout = head.map((_, i): Column => ({ align: i === 0 ? 'left' : 'right' }));
  return columns([head, ...rows], layout, '  ');
}

/** Facts, one a line, each after its name. */
export function facts(rows: readonly (readonly [string, string])[], paint?: (label: string) => string): string {
  return columns(rows, [{ align: 'left', paint }, { align: 'left' }]);
}

/** Characters, not UTF-16 units. */
function width(text: string): number {
  return [...text].length;
}
