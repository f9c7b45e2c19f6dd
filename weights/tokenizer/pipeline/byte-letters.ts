/**
 * The letters that byte-level BPE writes for bytes, as GPT-2 chose them: printable Latin-1 characters stand for themselves, the
 * other bytes, in order, are the characters from U+0100 on.
 */
const LETTERS: readonly string[] = (() => {
  const isPrintable = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
})();
const BYTES: ReadonlyMap<string, number> = new Map(LETTERS.map((letter, byte) => [letter, byte]));
const CODES = Uint16Array.from(LETTERS, (letter) => letter.charCodeAt(0));
const utf8 = new TextEncoder();
const utf16 = new TextDecoder('utf-16le');

/** A text's UTF-8, one letter for each byte. */
export function byteLetters(text: string): string {
  return utf16.decode(Uint16Array.from(utf8.encode(text), (byte) => CODES[byte]));
}

/** The bytes that a token's letters stand for; those of its own UTF-8 when it has other letters. */
export function bytesOfLetters(token: string): ArrayLike<number> {
  const bytes: number[] = [];
  for (const letter of token) {
    const byte = BYTES.get(letter);
    if (byte === undefined) return utf8.encode(token);
    bytes.push(byte);
  }
  return bytes;
}
