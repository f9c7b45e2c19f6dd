/** Number of bytes of the UTF-8 character that this byte begins; 1 for a byte that begins none (SentencePiece's OneCharLen). */
export function characterLength(lead: number): number {
  return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** What stands for bytes that are not UTF-8: a text, once for each such byte or once for each maximal subpart of a character. */
export interface Invalid {
  readonly text: string;
  readonly each: 'byte' | 'subpart';
}

/**
 * Turns UTF-8 into text, one byte at a time. A character comes out with its last byte. A maximal subpart is what Unicode 3.9
 * calls so: WHATWG's decoder, Python's and Rust's count so, and SentencePiece counts bytes.
 */
export class Utf8Decoder {
  private code = 0;
  private needed = 0;
  private seen = 0;
  private lower = 0x80;
  private upper = 0xbf;

  constructor(private readonly invalid: Invalid) {}

  /** Text that this byte completes. */
  push(byte: number): string {
    if (this.needed === 0) return this.lead(byte);
    if (byte < this.lower || byte > this.upper) return this.end() + this.lead(byte);
    this.lower = 0x80;
    this.upper = 0xbf;
    this.code = (this.code << 6) | (byte & 0x3f);
    this.seen++;
    this.needed--;
    return this.needed === 0 ? String.fromCodePoint(this.code) : '';
  }

  /** Ends the text. Returns what stands for a last character that is not complete. */
  end(): string {
    if (this.needed === 0) return '';
    this.needed = 0;
    const { text, each } = this.invalid;
    return each === 'byte' ? text.repeat(this.seen) : text;
  }

  private lead(byte: number): string {
    if (byte < 0x80) return String.fromCharCode(byte);
    if (byte < 0xc2 || byte > 0xf4) return this.invalid.text;
    // These limits exclude second bytes that would spell an overlong form, a surrogate or a code above 10FFFF.
    this.lower = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
    this.upper = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
    this.needed = characterLength(byte) - 1;
    this.seen = 1;
    this.code = byte & (0x3f >> this.needed);
    return '';
  }
}
