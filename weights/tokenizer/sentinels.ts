import { PieceType, type Vocabulary } from './vocabulary';

const T5_SENTINELS = 100;

/**
 * Gives a vocabulary read from `spiece.model` what T5's tokenizer adds on top: control pieces become special, and
 * <extra_id_n> to <extra_id_0> follow the last piece, in descending order as T5 numbers them.
 * @param settings tokenizer_config.json, or an empty object; its `extra_ids` says how many
 * @param limit the model's vocabulary: sentinels that have no row in its embedding are not added
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
  const inside = special.has('<extra_id_0>');
  const asked = typeof settings.extra_ids === 'number' ? settings.extra_ids : T5_SENTINELS;
  const first = base.pieces.length;
  const fits = !inside && Number.isInteger(asked) && asked > 0 && asked <= 1000 && first + asked <= limit;
  if (!fits) return { ...base, special };
  const sentinels = Array.from({ length: asked }, (_, i) => `<extra_id_${asked - 1 - i}>`);
  for (const [i, text] of sentinels.entries()) special.set(text, first + i);
  const scores = new Float32Array(first + asked);
  scores.set(base.scores);
  const types = new Uint8Array(first + asked).fill(PieceType.control);
  types.set(base.types);
  return { ...base, pieces: [...base.pieces, ...sentinels], scores, types, special };
}
