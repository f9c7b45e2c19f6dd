/** A stretch of ordinary text, or the id of a special token spelt out. */
export type Segment = string | number;

/** Splits a text at the spellings of special tokens, leftmost and longest first. Splits nothing when there are none. */
export function splitter(special: ReadonlyMap<string, number>): (text: string) => Segment[] {
  const spellings = [...special.keys()].filter((s) => s !== '').sort((a, b) => b.length - a.length);
  if (spellings.length === 0) return (text) => [text];
  const pattern = new RegExp(spellings.map((s) => s.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'g');
  return (text) => {
    const segments: Segment[] = [];
    let from = 0;
    for (const match of text.matchAll(pattern)) {
      if (match.index > from) segments.push(text.slice(from, match.index));
      segments.push(special.get(match[0]) as number);
      from = match.index + match[0].length;
    }
    if (from < text.length) segments.push(text.slice(from));
    return segments;
  };
}
