import { Utf8Decoder } from '../utf8';
import { PieceType, SPACE_SYMBOL, type Vocabulary } from '../vocabulary';
import type { StageFactory } from './decoders';

const BYTE_PIECE = /^<0x([0-9A-Fa-f]{2})>$/;

/**
 * SentencePiece's text of pieces. U+2581 becomes a space, but not in the first piece. Byte pieces wait until their character is
 * complete; each byte that is part of no character is one U+FFFD.
 *
 * @param dropsFirst whether normalising puts a space in front of a text
 */
export function sentencePieceDecoder(vocabulary: Vocabulary, dropsFirst: boolean): StageFactory {
  const hasBytes = vocabulary.types.includes(PieceType.byte);
  return () => {
    const utf8 = new Utf8Decoder({ text: '\uFFFD', each: 'byte' });
    let isFirst = true;
    return {
      push(token) {
        const byte = hasBytes ? BYTE_PIECE.exec(token) : null;
        const space = dropsFirst && isFirst ? '' : ' ';
        isFirst = false;
        if (byte !== null) return [utf8.push(Number.parseInt(byte[1], 16))];
        return [utf8.end() + token.replaceAll(SPACE_SYMBOL, space)];
      },
      end: () => [utf8.end()],
    };
  };
}
