import type { AddedToken } from './added-tokens';
import { PieceType, type Vocabulary } from './vocabulary';

const T5_SENTINELS = 100;
const SPECIAL = { special: true, normalized: false, lstrip: false, rstrip: false, singleWord: false };

/**
 * Adds to a vocabulary from `spiece.model` what T5's tokenizer adds: control pieces become special, and the sentinels
 * <extra_id_n> to <extra_id_0> follow the last piece, in this descending order.
 *
 * @param extraIds how many sentinels tokenizer_config.json says there are; null where it does not
 * @param limit the model's vocabulary: no sentinels are added when its embedding has no rows for them
 */
export function withSentinels(
  base: Vocabulary,
  extraIds: number | null,
  limit: number,
): { readonly vocabulary: Vocabulary; readonly added: AddedToken[] } {
  const added: AddedToken[] = [];
  for (const [id, piece] of base.pieces.entries()) {
    if (base.types[id] === PieceType.control || id === base.unknownId) added.push({ ...SPECIAL, content: piece, id });
    else if (/^▁?<extra_id_\d+>$/.test(piece)) added.push({ ...SPECIAL, content: piece.replace('▁', ''), id });
  }
  const hasSentinels = added.some(({ content }) => content === '<extra_id_0>');
  const count = extraIds ?? T5_SENTINELS;
  const first = base.pieces.length;
  const fits = Number.isInteger(count) && count > 0 && count <= 1000 && first + count <= limit;
  if (hasSentinels || !fits) return { vocabulary: base, added };
  const sentinels = Array.from({ length: count }, (_, i) => `<extra_id_${count - 1 - i}>`);
  for (const [i, content] of sentinels.entries()) added.push({ ...SPECIAL, content, id: first + i });
  const scores = new Float32Array(first + count);
  scores.set(base.scores);
  const types = new Uint8Array(first + count).fill(PieceType.control);
  types.set(base.types);
  return { vocabulary: { ...base, pieces: [...base.pieces, ...sentinels], scores, types }, added };
}
