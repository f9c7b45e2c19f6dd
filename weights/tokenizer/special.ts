/** A part of a text: ordinary text, or the id of a special token that is spelt out there. */
export type Segment = string | number;

/** A function that splits a text at the spellings of special tokens. At one place the longest spelling is taken. */
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
