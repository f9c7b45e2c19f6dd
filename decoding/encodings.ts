import type { Encoded } from '../engine';

/** One user's share of an encoded source. The encoding is given back when its last share is. */
export interface EncodingShare extends Disposable {
  readonly encoded: Encoded;
  /** Gives the share back. Calls after the first do nothing. */
  dispose(): void;
}

/** An encoding that nobody else has a share of. */
export function wholeShare(encoded: Encoded): EncodingShare {
  return shareOf(encoded, () => encoded.dispose());
}

/**
 * Encodings that several sequences use at once, by a key that stands for the source. A source is encoded when its first user
 * comes, and its encoding is given back when the last one goes.
 */
export class SharedEncodings {
  private readonly entries = new Map<object, { readonly encoding: Promise<Encoded>; users: number }>();

  /** Whether the key's source is encoded now. */
  has(key: object): boolean {
    return this.entries.has(key);
  }

  /**
   * A share of the key's encoding.
   *
   * @param encode called where there is no encoding yet
   * @throws what `encode` throws, to all who wait for it
   */
  async take(key: object, encode: () => Promise<Encoded>): Promise<EncodingShare> {
    const entry = this.entries.get(key) ?? { encoding: encode(), users: 0 };
    this.entries.set(key, entry);
    entry.users++;
    try {
      const encoded = await entry.encoding;
      return shareOf(encoded, () => {
        if (--entry.users > 0) return;
        this.entries.delete(key);
        encoded.dispose();
      });
    } catch (error) {
      if (this.entries.get(key) === entry) this.entries.delete(key);
      throw error;
    }
  }
}

function shareOf(encoded: Encoded, onDispose: () => void): EncodingShare {
  let isHeld = true;
  const dispose = () => {
    if (!isHeld) return;
    isHeld = false;
    onDispose();
  };
  return { encoded, dispose, [Symbol.dispose]: dispose };
}
