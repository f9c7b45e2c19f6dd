/** Bytes of the UTF-8 character that a lead byte opens (SentencePiece's OneCharLen: 1 for a stray byte). */
export function characterLength(lead: number): number {
  return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/**
 * UTF-8 to text, a byte at a time: a character comes out with its last byte. Ill-formed bytes come out as `invalid`,
 * once for each maximal subpart (Unicode 3.9, as in WHATWG's decoder and Python's).
 */
export class Utf8Decoder {
  private code = 0;
  private needed = 0;
  private lower = 0x80;
  private upper = 0xbf;

  constructor(private readonly invalid: string) {}

  /** Text that this byte completes. */
  push(byte: number): string {
    if (this.needed === 0) return this.lead(byte);
    if (byte < this.lower || byte > this.upper) {
      this.needed = 0;
      return this.invalid + this.lead(byte);
    }
    this.lower = 0x80;
    this.upper = 0xbf;
    this.code = (this.code << 6) | (byte & 0x3f);
    this.needed--;
    return this.needed === 0 ? String.fromCodePoint(this.code) : '';
  }

  /** `invalid` if a character was left unfinished. */
  end(): string {
    const pending = this.needed > 0;
    this.needed = 0;
    return pending ? this.invalid : '';
  }

  private lead(byte: number): string {
    if (byte < 0x80) return String.fromCharCode(byte);
    if (byte < 0xc2 || byte > 0xf4) return this.invalid;
    // Second bytes that would make an overlong form, a surrogate or a code beyond 10FFFF are ruled out here.
    this.lower = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
    this.upper = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
    this.needed = characterLength(byte) - 1;
    this.code = byte & (0x3f >> this.needed);
    return '';
  }
}
