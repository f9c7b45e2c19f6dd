/** The longest replacement in T5's charsmap has 33 bytes. This limit keeps a hostile map from turning a short text into a huge one. */
const MAX_REPLACEMENT = 1024;

/** SentencePiece's precompiled_charsmap: rules that replace byte sequences. */
export interface Charsmap {
  /**
   * Finds the longest rule that matches the text at `at`. Returns the number of bytes that it replaces, 0 when no rule matches.
   * The replacement is then `replacements` from `start` to `end`.
   */
  match(text: Uint8Array, at: number): number;
  readonly replacements: Uint8Array;
  start: number;
  end: number;
}

/**
 * Opens a precompiled charsmap. It is the size of a trie as a little-endian u32, the trie, then replacements that end with NUL.
 * The trie is a double array of darts-clone (github.com/s-yata/darts-clone): each u32 unit holds a label, an offset, and whether
 * a leaf follows. A leaf's value is the place where its replacement begins.
 *
 * @throws RangeError on a bad layout
 */
export function openCharsmap(blob: Uint8Array): Charsmap {
  if (blob.length < 8) throw new RangeError(`a charsmap of ${blob.length} bytes, expected at least 8`);
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  const size = view.getUint32(0, true);
  if (size === 0 || size % 4 !== 0 || size > blob.length - 4) {
    throw new RangeError(`a charsmap whose trie has ${size} bytes, with ${blob.length - 4} there`);
  }
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const replacements = blob.subarray(4 + size);
  checkReplacements(replacements);
  const offset = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6);
  const root = offset(units[0]);
  const charsmap: Charsmap = { replacements, start: 0, end: 0, match };
  function match(text: Uint8Array, at: number): number {
    let node = root;
    let leaf = -1;
    let length = 0;
    for (let i = at; i < text.length; i++) {
      node ^= text[i];
      // A place beyond the array reads as undefined: no rule goes on there.
      const unit = units[node];
      if (unit === undefined || (unit & 0x800000ff) !== text[i]) break;
      node ^= offset(unit);
      if (unit & 0x100) {
        leaf = units[node] & 0x7fffffff;
        length = i + 1 - at;
      }
    }
    if (length === 0 || leaf >= replacements.length) return 0;
    charsmap.start = leaf;
    const end = replacements.indexOf(0, leaf);
    charsmap.end = end < 0 ? replacements.length : end;
    return length;
  }
  return charsmap;
}

function checkReplacements(replacements: Uint8Array): void {
  for (let start = 0; start < replacements.length; ) {
    const end = replacements.indexOf(0, start);
    const length = (end < 0 ? replacements.length : end) - start;
    if (length > MAX_REPLACEMENT) throw new RangeError(`a charsmap replacement of ${length} bytes`);
    start += length + 1;
  }
}
