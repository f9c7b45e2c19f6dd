import { MAX_PIECE_BYTES } from './vocabulary';

/**
 * A trie of pieces by their UTF-8 bytes. Most nodes have one child at most, which is in an array; the other edges, (node, byte) →
 * node, are in one hash table with open addressing.
 */
export class PieceTrie {
  private keys: Uint32Array;
  private children: Uint32Array;
  private mask: number;
  private nodes = 1;
  /** Byte of each node's first child, or -1. */
  private readonly firstBytes: Int16Array;
  private readonly firstChildren: Uint32Array;
  private readonly hasMore: Uint8Array;
  /** Piece that ends at each node, or -1. */
  private ends: Int32Array;

  /** @param totalBytes upper bound on the bytes of all pieces together */
  constructor(totalBytes: number) {
    // Node numbers take 24 bits of a key.
    if (totalBytes >= 1 << 24)
      throw new RangeError(`pieces of ${totalBytes} bytes together, expected under ${1 << 24}`);
    let size = 1024;
    while (size < 2 * totalBytes) size *= 2;
    this.mask = size - 1;
    this.keys = new Uint32Array(size);
    this.children = new Uint32Array(size);
    this.ends = new Int32Array(totalBytes + 1).fill(-1);
    this.firstBytes = new Int16Array(totalBytes + 1).fill(-1);
    this.firstChildren = new Uint32Array(totalBytes + 1);
    this.hasMore = new Uint8Array(totalBytes + 1);
  }

  /** Child of a node by a byte; 0 when there is none, since the root is no node's child. */
  child(node: number, byte: number): number {
    if (this.firstBytes[node] === byte) return this.firstChildren[node];
    if (this.hasMore[node] === 0) return 0;
    const key = ((node << 8) | byte) >>> 0;
    let slot = hash(key) & this.mask;
    while (this.children[slot] !== 0) {
      if (this.keys[slot] === key) return this.children[slot];
      slot = (slot + 1) & this.mask;
    }
    return 0;
  }

  /** Piece that ends at a node, or -1. */
  end(node: number): number {
    return this.ends[node];
  }

  /** @throws RangeError for a piece that is too long */
  insert(bytes: Uint8Array, id: number): void {
    if (bytes.length > MAX_PIECE_BYTES) {
      throw new RangeError(`a piece of ${bytes.length} bytes, expected at most ${MAX_PIECE_BYTES}`);
    }
    let node = 0;
    for (const byte of bytes) node = this.child(node, byte) || this.grow(node, byte);
    this.ends[node] = id;
  }

  private grow(node: number, byte: number): number {
    if (this.firstBytes[node] < 0) {
      this.firstBytes[node] = byte;
      this.firstChildren[node] = this.nodes;
      return this.nodes++;
    }
    this.hasMore[node] = 1;
    const key = ((node << 8) | byte) >>> 0;
    let slot = hash(key) & this.mask;
    while (this.children[slot] !== 0) slot = (slot + 1) & this.mask;
    this.keys[slot] = key;
    this.children[slot] = this.nodes;
    return this.nodes++;
  }
}

function hash(key: number): number {
  const mixed = Math.imul(key ^ (key >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}

/** A trie of the pieces that `keep` chooses. When two ids have one spelling, the later id is found. */
export function trieOf(pieces: readonly string[], keep: (id: number) => boolean): PieceTrie {
  const encoder = new TextEncoder();
  let total = 0;
  for (let id = 0; id < pieces.length; id++) if (keep(id)) total += utf8Length(pieces[id]);
  const trie = new PieceTrie(total);
  for (let id = 0; id < pieces.length; id++) if (keep(id)) trie.insert(encoder.encode(pieces[id]), id);
  return trie;
}

function utf8Length(text: string): number {
  let bytes = 0;
  // The two units of a surrogate pair count 3 each here, and its UTF-8 has 4 bytes: an upper bound is enough.
  for (let i = 0; i < text.length; i++) bytes += text.charCodeAt(i) < 0x80 ? 1 : text.charCodeAt(i) < 0x800 ? 2 : 3;
  return bytes;
}
