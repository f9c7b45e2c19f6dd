import type { Tokenizer } from '../types';
import type { AddedToken } from './added-tokens';
import { addTokens, assemble } from './assemble';
import type { Stage } from './pipeline/decoders';
import { keep } from './pipeline/normalizers';
import type { TokenizerSettings } from './settings';
import { PART } from './steps';
import { Utf8Decoder } from './utf8';

const EOS = 1;
const UNKNOWN = 2;
const OFFSET = 3;
const SENTINELS = 125;
const BYTE_TOKEN = /^<0x([0-9A-F]{2})>$/;

/**
 * ByT5's tokenizer, as transformers' ByT5Tokenizer: ids 0, 1 and 2 are pad, EOS and unknown, a byte's id is its value + 3, and
 * <extra_id_0> to <extra_id_124> are 259 to 383. Bytes that are not UTF-8 are left out of decoded text, as there
 * (`errors="ignore"`).
 */
export function byteTokenizer(settings: TokenizerSettings, limit: number): Tokenizer {
  const byteName = (byte: number) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
  const flags = { special: true, normalized: false, lstrip: false, rstrip: false, singleWord: false };
  // transformers makes these three take the white space around them, and not the sentinels.
  const named = ['<pad>', '</s>', '<unk>'].map((content, id) => ({
    ...flags,
    content,
    id,
    lstrip: true,
    rstrip: true,
  }));
  const sentinels = Array.from({ length: SENTINELS }, (_, i) => `<extra_id_${i}>`);
  const pieces = [
    ...named.map(({ content }) => content),
    ...Array.from({ length: 256 }, (_, byte) => byteName(byte)),
    ...sentinels,
  ];
  const own: AddedToken[] = [...named, ...sentinels.map((content, i) => ({ ...flags, content, id: OFFSET + 256 + i }))];
  const utf8 = new TextEncoder();
  return assemble({
    kind: 'bytes',
    pieces,
    added: addTokens(pieces, own, settings, limit),
    unknownId: UNKNOWN,
    pipeline: () => ({
      normalize: keep,
      *encode(part) {
        const bytes = utf8.encode(part.text);
        const ids: number[] = [];
        for (const byte of bytes) {
          ids.push(byte + OFFSET);
          if (ids.length % PART === 0) yield;
        }
        return ids;
      },
    }),
    around: { before: [], after: [EOS] },
    decoder: byteStage,
    cleanUp: settings.cleanUp,
  });
}

function byteStage(): Stage {
  const utf8 = new Utf8Decoder({ text: '', each: 'byte' });
  return {
    push(token) {
      const byte = BYTE_TOKEN.exec(token);
      return [byte === null ? utf8.end() + token : utf8.push(Number.parseInt(byte[1], 16))];
    },
    end: () => [utf8.end()],
  };
}
