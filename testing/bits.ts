import { collect, generate, modelDrafter, type Settings } from '../decoding';
import type { SequenceModel } from '../engine';

/**
 * The model, with the logits of the last row that it computed at each position. These belong to the text that came out, because
 * a position whose token was rejected is computed again.
 */
function watched(model: SequenceModel): { model: SequenceModel; logits: Map<number, Float32Array> } {
  const logits = new Map<number, Float32Array>();
  const forward: SequenceModel['forward'] = async (rows, options) => {
    const view = await model.forward(rows, options);
    for (const [r, { position }] of rows.entries()) logits.set(position, await view.read(r));
    return view;
  };
  const { vocabularySize, startToken, eosTokens } = model;
  const encode: SequenceModel['encode'] = (sources) => model.encode(sources);
  return { model: { vocabularySize, startToken, eosTokens, encode, forward }, logits };
}

export interface Decoded {
  readonly ids: readonly number[];
  /** Logits that each of the ids was chosen from, [ids][vocabulary]. */
  readonly logits: readonly Float32Array[];
  readonly targetCalls: number;
}

/** Decodes one source to the end, with the target's logits for every token that came out. */
export async function decode(
  target: SequenceModel,
  draft: SequenceModel | null,
  source: readonly number[],
  settings: Settings,
): Promise<Decoded> {
  let targetCalls = 0;
  const { model, logits } = watched(target);
  const counted: SequenceModel = {
    ...model,
    forward: (rows, options) => {
      targetCalls++;
      return model.forward(rows, options);
    },
  };
  const drafter = draft && modelDrafter(draft);
  const { ids } = await collect(generate({ target: counted, drafter, source, settings }));
  return { ids, logits: ids.map((_, i) => logits.get(i) ?? new Float32Array(0)), targetCalls };
}

/** Describes the first difference of two runs; null when every token and every bit of every logit is equal. */
export function firstDifference(one: Decoded, other: Decoded): string | null {
  for (let i = 0; i < Math.max(one.ids.length, other.ids.length); i++) {
    if (one.ids[i] !== other.ids[i]) return `token ${i}: ${one.ids[i]} and ${other.ids[i]}`;
    const [a, b] = [bits(one.logits[i]), bits(other.logits[i])];
    if (a.length === 0 || a.length !== b.length) return `token ${i}: ${a.length} and ${b.length} logits`;
    const at = a.findIndex((word, j) => word !== b[j]);
    if (at >= 0) return `token ${i}: logit ${at}: ${one.logits[i][at]} and ${other.logits[i][at]}`;
  }
  return null;
}

function bits(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}
