import type { DecoderRow, DecoderStream, Encoded, T5Model } from '../../engine';

/** A decoder sequence as a chain of rows on one stream, from the stream's beginning. */
export function chain(stream: DecoderStream, tokens: readonly number[]): DecoderRow[] {
  return tokens.map((token, position) => ({ stream, position, token, parent: position - 1 }));
}

/**
 * Arg-max decoding of several sources at once, directly on the engine, with one row for each stream in each call. decoding/ is
 * compared with it. Each source gives `count` tokens, or fewer when `eos` is given and ends it.
 */
export async function greedyTokens(
  model: T5Model,
  encoded: readonly Encoded[],
  count: number,
  eos?: number,
): Promise<number[][]> {
  const streams = encoded.map((one) => one.open());
  const found: number[][] = streams.map(() => []);
  const last = streams.map(() => model.startToken);
  for (let position = 0; position < count; position++) {
    const running = streams.map((_, i) => i).filter((i) => eos === undefined || last[i] !== eos);
    if (running.length === 0) break;
    const rows = running.map((i) => ({ stream: streams[i], position, token: last[i], parent: -1 }));
    const logits = await model.forward(rows);
    const tokens = await logits.argMax();
    logits.dispose();
    running.forEach((i, r) => {
      last[i] = tokens[r];
      found[i].push(tokens[r]);
    });
  }
  for (const stream of streams) stream.dispose();
  return found;
}
