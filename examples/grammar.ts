/**
 * Corrects the grammar of texts, with copying as the draft. Most of a corrected text stands in its source, so the copy draft proposes
 * what came after the last tokens there. It is no model: it costs nothing, and the corrections are the target's own, token by token.
 *
 *   const model = await Tandem.load('vennify/t5-base-grammar-correction', { draft: 'copy', prefix: 'grammar: ' });
 *   const { texts, saved } = await correct(model, ['He go to school yesterday.']);
 */
import type { Tandem } from 'tandem-t5';

export interface Corrections {
  readonly texts: string[];
  /** Share of the target's calls that copying saved: 0 is none, and 0.75 is four tokens a call. */
  readonly saved: number;
}

/** The corrected texts, in their order. */
export async function correct(model: Tandem, texts: readonly string[]): Promise<Corrections> {
  const results = await model.generate([...texts], { gamma: 8 });
  let [tokens, calls] = [0, 0];
  const corrected = results.map((result) => {
    if ('error' in result) throw result.error;
    tokens += result.metrics.newTokens;
    calls += result.metrics.targetCalls;
    return result.text;
  });
  return { texts: corrected, saved: tokens === 0 ? 0 : 1 - calls / tokens };
}
