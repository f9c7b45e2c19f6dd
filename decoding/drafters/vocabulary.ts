import type { LogitsView, SequenceModel, Source } from '../../engine';
import type { TopK } from '../../kernels';
import { logSumExp } from '../sampling/log-sum-exp';

/**
 * A draft model as if it had the target's number of token ids, for pairs with one tokenizer whose tables were padded
 * differently (32,100 rows beside 32,128). Ids that the draft lacks have probability 0, and its additional ids are left out: the
 * probabilities of the others then sum to 1. Decoding stays exact, because a draft may have any distribution that it names.
 * Where the text or the source has an id that the draft lacks, the draft reads its own start token in that place.
 *
 * Whether ids mean the same in both models is for the caller to know: `Tandem.load` compares the tokenizers.
 *
 * @param size the target's number of token ids
 */
export function withVocabulary(model: SequenceModel, size: number): SequenceModel {
  if (model.vocabularySize === size) return model;
  const known = (id: number) => (id >= model.vocabularySize && id < size ? model.startToken : id);
  const knownSource = (source: Source): Source =>
    'ids' in source ? { ...source, ids: source.ids.map(known) } : source.map(known);
  return {
    vocabularySize: size,
    startToken: model.startToken,
    eosTokens: model.eosTokens,
    encode: (sources, options) => model.encode(sources.map(knownSource), options),
    forward: async (rows, options) => {
      const view = await model.forward(
        rows.map((row) => ({ ...row, token: known(row.token) })),
        options,
      );
      return size > view.vocabulary ? padded(view, size) : cut(view, size);
    },
  };
}

/** The view with more ids, whose logits are −∞. */
function padded(view: LogitsView, size: number): LogitsView {
  const { rows, vocabulary } = view;
  return {
    ...{ rows, vocabulary: size },
    argMax: () => view.argMax(),
    logSumExp: (row, inverseTemperature) => view.logSumExp(row, inverseTemperature),
    at: async (atRows, tokens) => {
      const inside = tokens.map((token) => Math.min(token, vocabulary - 1));
      const found = await view.at(atRows, inside);
      return found.map((logit, i) => (tokens[i] < vocabulary ? logit : Number.NEGATIVE_INFINITY));
    },
    topK: async (row, k) => {
      const best = await view.topK(row, Math.min(k, vocabulary));
      const ids = Int32Array.from({ length: k }, (_, i) => best.ids[i] ?? i); // after all others, in the order of ids
      return { ids, values: Float32Array.from(ids, (_, i) => best.values[i] ?? Number.NEGATIVE_INFINITY) };
    },
    read: async (row) => {
      const logits = new Float32Array(size).fill(Number.NEGATIVE_INFINITY);
      logits.set(await view.read(row));
      return logits;
    },
    ...disposal(view),
  };
}

/** The view of the first `size` ids. What the backend finds among all ids does not answer for these, so rows are read. */
function cut(view: LogitsView, size: number): LogitsView {
  const { rows } = view;
  const read = async (row: number) => (await view.read(row)).subarray(0, size);
  return {
    ...{ rows, vocabulary: size },
    argMax: async () => {
      const best = new Int32Array(rows);
      for (let row = 0; row < rows; row++) best[row] = argMaxOf(await read(row));
      return best;
    },
    logSumExp: async (row, inverseTemperature) => logSumExp(await read(row), inverseTemperature),
    at: (atRows, tokens) => view.at(atRows, tokens),
    topK: async (row, k) => topKOf(await read(row), k),
    read,
    ...disposal(view),
  };
}

function disposal(view: LogitsView): Pick<LogitsView, 'dispose' | typeof Symbol.dispose> {
  return { dispose: () => view.dispose(), [Symbol.dispose]: () => view.dispose() };
}

function argMaxOf(logits: Float32Array): number {
  let best = -1;
  let largest = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < logits.length; id++) {
    if (!(logits[id] < Number.POSITIVE_INFINITY)) return -1;
    if (logits[id] > largest) [largest, best] = [logits[id], id];
  }
  return best;
}

function topKOf(logits: Float32Array, k: number): TopK {
  const ids = Int32Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);
  const best = ids.subarray(0, k);
  return { ids: best, values: Float32Array.from(best, (id) => logits[id]) };
}
