/** Most UTF-16 units of all texts of a trie together. */
const MOST_UNITS = 1 << 24;

/** A trie of texts by their UTF-16 units. */
export class StringTrie {
  private readonly children = new Map<number, number>();
  private readonly ends = new Map<number, number>();
  private nodes = 1;

  /** @throws RangeError for texts that are too long together */
  constructor(texts: readonly string[]) {
    const units = texts.reduce((sum, text) => sum + text.length, 0);
    if (units > MOST_UNITS) throw new RangeError(`texts of ${units} units together, expected at most ${MOST_UNITS}`);
    for (const [index, text] of texts.entries()) this.insert(text, index);
  }

  /** The longest text that begins at a place of another, by its index; null for none. Of equal texts the last is found. */
  longest(text: string, at: number): { readonly index: number; readonly end: number } | null {
    let found: { index: number; end: number } | null = null;
    let node: number | undefined = 0;
    for (let i = at; i < text.length; i++) {
      node = this.children.get(node * 0x10000 + text.charCodeAt(i));
      if (node === undefined) break;
      const index = this.ends.get(node);
      if (index !== undefined) found = { index, end: i + 1 };
    }
    return found;
  }

  private insert(text: string, index: number): void {
    let node = 0;
    for (let i = 0; i < text.length; i++) {
      const key = node * 0x10000 + text.charCodeAt(i);
      const child = this.children.get(key);
      node = child ?? this.nodes++;
      if (child === undefined) this.children.set(key, node);
    }
    if (node !== 0) this.ends.set(node, index);
  }
}
