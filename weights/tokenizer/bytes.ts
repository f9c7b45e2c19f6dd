import type { IncrementalDecoder, Tokenizer } from '../types';
import { splitter } from './special';
import { Utf8Decoder } from './utf8';

const PAD = 0;
const EOS = 1;
const UNKNOWN = 2;
const OFFSET = 3;
const SENTINELS = 125;
const SIZE = OFFSET + 256 + SENTINELS;

/**
 * ByT5's tokenizer, as transformers' ByT5Tokenizer: ids 0, 1 and 2 are pad, EOS and unknown, a byte's id is its value + 3, and
 * <extra_id_0> to <extra_id_124> are 259 to 383. Bytes that are not UTF-8 are left out of decoded text, as there
 * (`errors="ignore"`).
 */
export function byteTokenizer(): Tokenizer {
  const special = new Map<string, number>([
    ['<pad>', PAD],
    ['</s>', EOS],
    ['<unk>', UNKNOWN],
  ]);
  for (let i = 0; i < SENTINELS; i++) special.set(`<extra_id_${i}>`, OFFSET + 256 + i);
  const spellings = new Map([...special].map(([text, id]) => [id, text]));
  const byteName = (id: number) => `<0x${(id - OFFSET).toString(16).toUpperCase().padStart(2, '0')}>`;
  const isByte = (id: number) => id >= OFFSET && id < OFFSET + 256;
  const names = Array.from({ length: SIZE }, (_, id) => spellings.get(id) ?? byteName(id));
  const ids = new Map(names.map((name, id) => [name, id]));
  const split = splitter(special);
  const utf8 = new TextEncoder();
  const decoderOf = (keepSpecial: boolean): IncrementalDecoder => {
    const bytes = new Utf8Decoder('');
    return {
      push(id) {
        if (isByte(id)) return bytes.push(id - OFFSET);
        return keepSpecial && spellings.has(id) ? bytes.end() + spellings.get(id) : '';
      },
      end: () => bytes.end(),
    };
  };
  return {
    kind: 'bytes',
    vocabularySize: SIZE,
    encode(text, options = {}) {
      const encoded: number[] = [];
      for (const segment of options.parseSpecial ? split(text) : [text]) {
        if (typeof segment === 'number') encoded.push(segment);
        else for (const byte of utf8.encode(segment)) encoded.push(byte + OFFSET);
      }
      if (options.addEos ?? true) encoded.push(EOS);
      return encoded;
    },
    decode(list, options = {}) {
      const decoder = decoderOf(options.keepSpecial ?? false);
      return list.map((id) => decoder.push(id)).join('') + decoder.end();
    },
    incrementalDecoder: () => decoderOf(false),
    piece: (id) => names[id] ?? '',
    id: (piece) => ids.get(piece),
  };
}
