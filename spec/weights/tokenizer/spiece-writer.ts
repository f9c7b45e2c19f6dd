/** Writes small SentencePiece models for the specs: protobuf by hand, fields as in sentencepiece_model.proto. */
export interface SpieceOptions {
  readonly byteFallback?: boolean;
  readonly modelType?: number;
  readonly charsmap?: Uint8Array;
  /** Whole numbers or bytes of the normaliser by the number of their field. */
  readonly normalizer?: Readonly<Record<number, number | Uint8Array>>;
  readonly pieces?: readonly (readonly [text: string, score: number, type?: number])[];
}

const varint = (value: number): number[] => (value < 128 ? [value] : [(value % 128) | 128, ...varint(value >>> 7)]);
const integer = (number: number, value: number) => [...varint(number << 3), ...varint(value)];
const run = (number: number, bytes: ArrayLike<number>) => [
  ...varint((number << 3) | 2),
  ...varint(bytes.length),
  ...Array.from(bytes),
];
const float = (number: number, value: number) => [
  ...varint((number << 3) | 5),
  ...new Uint8Array(Float32Array.of(value).buffer),
];

/** Pad, EOS, unknown, then the pieces, then 256 bytes under byte fallback. */
export function spiece(options: SpieceOptions = {}): Uint8Array {
  const { byteFallback = false, modelType = 1, charsmap = new Uint8Array(0) } = options;
  const own = options.pieces ?? [['▁', -1] as const, ['a', -2] as const, ['b', -3] as const];
  const byte = (i: number) => [`<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`, 0, 6] as const;
  const pieces = [
    ...([
      ['<pad>', 0, 3],
      ['</s>', 0, 3],
      ['<unk>', 0, 2],
    ] as const),
    ...own,
    ...(byteFallback ? Array.from({ length: 256 }, (_, i) => byte(i)) : []),
  ];
  const out: number[] = [];
  for (const [text, score, type = 1] of pieces) {
    const piece = [...run(1, new TextEncoder().encode(text)), ...float(2, score), ...integer(3, type)];
    for (const value of run(1, piece)) out.push(value);
  }
  out.push(...run(2, [...integer(3, modelType), ...integer(35, byteFallback ? 1 : 0)]));
  const switches = Object.entries(options.normalizer ?? {}).flatMap(([number, value]) =>
    typeof value === 'number' ? integer(Number(number), value) : run(Number(number), value),
  );
  for (const value of run(3, [...run(2, charsmap), ...switches])) out.push(value);
  return Uint8Array.from(out);
}
