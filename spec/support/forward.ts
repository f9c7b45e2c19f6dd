import type { DecoderRow, DecoderStream, ForwardOptions, T5Model } from '../../engine';

/** Rows of a chain that goes on from a stream's cached tokens. */
export function chain(stream: DecoderStream, tokens: readonly number[]): DecoderRow[] {
  const from = stream.length;
  return tokens.map((token, i) => ({ stream, token, position: from + i, parent: i - 1 }));
}

/** Logits of every token of several calls on one stream, each a chain that goes on from the one before. */
export async function logitsOf(
  model: T5Model,
  source: readonly number[],
  calls: readonly (readonly number[])[],
  options: ForwardOptions,
): Promise<number[][]> {
  const [encoded] = await model.encode([source]);
  const stream = encoded.open();
  const logits: number[][] = [];
  for (const tokens of calls) {
    const view = await model.forward(chain(stream, tokens), options);
    for (let r = 0; r < view.rows; r++) logits.push(Array.from(await view.read(r)));
    view.dispose();
  }
  stream.dispose();
  encoded.dispose();
  return logits;
}
