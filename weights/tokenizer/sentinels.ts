import { PieceType, type Vocabulary } from './vocabulary';

const T5_SENTINELS = 100;

/**
 * Adds to a vocabulary from `spiece.model` what T5's tokenizer adds: control pieces become special, and the sentinels
 * <extra_id_n> to <extra_id_0> follow the last piece, in this descending order.
 *
 * @param settings content of tokenizer_config.json; its `extra_ids` says how many sentinels there are
 * @param limit the model's vocabulary: no sentinels are added when its embedding has no rows for them
 */
export function withSentinels(
  base: Omit<Vocabulary, 'special'>,
  settings: Readonly<Record<string, unknown>>,
  limit: number,
): Vocabulary {
  const special = new Map<string, number>();
  base.pieces.forEach((piece, id) => {
    if (base.types[id] === PieceType.control || id === base.unknownId) special.set(piece, id);
    else if (/^▁?<extra_id_\d+>$/.test(piece)) special.set(piece.replace('▁', ''), id);
  });
  const hasSentinels = special.has('<extra_id_0>');
  const count = typeof settings.extra_ids === 'number' ? settings.extra_ids : T5_SENTINELS;
  const first = base.pieces.length;
  const fits = Number.isInteger(count) && count > 0 && count <= 1000 && first + count <= limit;
  if (hasSentinels || !fits) return { ...base, special };
  const sentinels = Array.from({ length: count }, (_, i) => `<extra_id_${count - 1 - i}>`);
  for (const [i, text] of sentinels.entries()) special.set(text, first + i);
  const scores = new Float32Array(first + count);
  scores.set(base.scores);
  const types = new Uint8Array(first + count).fill(PieceType.control);
  types.set(base.types);
  return { ...base, pieces: [...base.pieces, ...sentinels], scores, types, special };
}
