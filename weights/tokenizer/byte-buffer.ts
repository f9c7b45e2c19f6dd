/** A list of bytes. Its storage doubles when it is full. */
export class ByteBuffer {
  private bytes: Uint8Array;
  length = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(Math.max(16, capacity));
  }

  push(byte: number): void {
    if (this.length === this.bytes.length) {
      const grown = new Uint8Array(2 * this.bytes.length);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes[this.length++] = byte;
  }

  /** Whether the last three bytes are these. */
  endsWith(a: number, b: number, c: number): boolean {
    const { bytes, length } = this;
    return length >= 3 && bytes[length - 3] === a && bytes[length - 2] === b && bytes[length - 1] === c;
  }

  last(): number | undefined {
    return this.length === 0 ? undefined : this.bytes[this.length - 1];
  }

  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}
