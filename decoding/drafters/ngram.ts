import { type Distribution, oneHot } from '../distribution';
import type { Drafter } from '../drafter';
import { DecodingError } from '../errors';

/** Counts of tokens after contexts of 0 … order − 1 tokens. */
export class NgramTable {
  private readonly counts = new Map<string, Map<number, number>>();
  /** Shares of contexts that were asked for, until another count comes. */
  private readonly known = new Map<string, Distribution>();

  /** @param order n of the longest n-grams: 1 is a unigram table, 2 a bigram table */
  constructor(
    readonly order: number,
    readonly vocabularySize: number,
  ) {
    if (!Number.isInteger(order) || order < 1 || order > 8) {
      throw new DecodingError('option-invalid', `order: expected a whole number from 1 to 8, found ${order}`);
    }
  }

  /** Contexts that have been seen. */
  get size(): number {
    return this.counts.size;
  }

  /** Counts every n-gram of a sequence that ends at index `from` or later. */
  learn(ids: readonly number[], from = 0): void {
    for (let end = from; end < ids.length; end++) {
      for (let n = 0; n < this.order && n <= end; n++) this.count(ids.slice(end - n, end).join(), ids[end], 1);
    }
  }

  /** Tokens seen after the last `length` of `ids`, with their shares; null when that context is not known. */
  after(ids: readonly number[], length: number): Distribution | null {
    if (length >= this.order || length > ids.length) return null;
    const context = ids.slice(ids.length - length).join();
    const seen = this.counts.get(context);
    if (!seen) return null;
    let law = this.known.get(context);
    if (!law) {
      law = shares(seen, this.vocabularySize);
      this.known.set(context, law);
    }
    return law;
  }

  toJSON(): object {
    const contexts = Object.fromEntries([...this.counts].map(([context, seen]) => [context, [...seen].flat()]));
    return { format: 'tandem-ngram', version: 1, order: this.order, vocabularySize: this.vocabularySize, contexts };
  }

  /** @throws DecodingError `option-invalid` when the value is not such a table */
  static fromJSON(value: unknown, name = 'n-gram table'): NgramTable {
    const json = value as ReturnType<typeof JSON.parse>;
    const bad = (expected: string, found: unknown) =>
      new DecodingError(
        'option-invalid',
        `${name}: expected ${expected}, found ${JSON.stringify(found)?.slice(0, 40)}`,
      );
    if (json?.format !== 'tandem-ngram' || json.version !== 1)
      throw bad('format tandem-ngram, version 1', json?.format);
    if (!Number.isSafeInteger(json.vocabularySize) || json.vocabularySize < 1)
      throw bad('a vocabularySize', json.vocabularySize);
    const table = new NgramTable(json.order, json.vocabularySize);
    for (const [context, list] of Object.entries(json.contexts ?? {})) {
      if (!Array.isArray(list) || list.length % 2 > 0) throw bad(`pairs of token and count for ${context}`, list);
      for (let i = 0; i < list.length; i += 2) {
        const [token, count] = [list[i], list[i + 1]];
        const known = Number.isInteger(token) && token >= 0 && token < json.vocabularySize;
        if (!known || !Number.isSafeInteger(count) || count < 1)
          throw bad(`a token and its count after ${context}`, [token, count]);
        table.count(context, token, count);
      }
    }
    return table;
  }

  private count(context: string, token: number, by: number): void {
    this.known.delete(context);
    let seen = this.counts.get(context);
    if (!seen) {
      seen = new Map();
      this.counts.set(context, seen);
    }
    seen.set(token, (seen.get(token) ?? 0) + by);
  }
}

function shares(seen: ReadonlyMap<number, number>, vocabulary: number): Distribution {
  const tokens = Int32Array.from(seen.keys()).sort();
  const counts = Float64Array.from(tokens, (token) => seen.get(token) as number);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return { vocabulary, tokens, probabilities: counts.map((count) => count / total) };
}

/** Shares after the longest context that any table knows; of two that know it, the first one's. Null when nothing is known. */
export function longestKnown(tables: readonly NgramTable[], ids: readonly number[]): Distribution | null {
  for (let length = Math.max(0, ...tables.map((table) => table.order - 1)); length >= 0; length--) {
    for (const table of tables) {
      const found = table.after(ids, length);
      if (found) return found;
    }
  }
  return null;
}

/**
 * Proposes by n-gram counts of what this sequence has said so far (`online` is their order, 0 for none) and of a table trained
 * beforehand: whichever knows the longer context, the sequence itself before the table. Greedy takes the most frequent token;
 * sampling draws from the counts.
 */
export function ngramDrafter(vocabularySize: number, options: { table?: NgramTable; online?: number } = {}): Drafter {
  const { table, online = 3 } = options;
  if (table && table.vocabularySize !== vocabularySize) {
    const found = `${table.vocabularySize}`;
    throw new DecodingError(
      'vocabulary-mismatch',
      `n-gram table: expected a vocabulary of ${vocabularySize}, found ${found}`,
    );
  }
  return {
    name: 'ngram',
    vocabularySize,
    open: async () => {
      const own = online > 0 ? new NgramTable(online, vocabularySize) : null;
      const tables = [own, table].filter((one): one is NgramTable => one != null);
      let learned = 0;
      let calls = 0;
      return {
        get calls() {
          return calls;
        },
        propose: async ({ ids, gamma, draw, eosTokens, processing }) => {
          own?.learn(ids.slice(1), learned); // finished rounds only, so that a seed fixes the text
          learned = ids.length - 1;
          const proposal = [];
          const context = ids.slice(1); // the start token is no text
          while (proposal.length < gamma) {
            const counts = longestKnown(tables, context);
            if (!counts) break;
            calls++;
            const greedy = (processing.temperature ?? 0) === 0;
            const drawn = draw(greedy ? mostFrequent(counts) : counts, 1 + context.length);
            proposal.push(drawn);
            context.push(drawn.token);
            if (eosTokens.includes(drawn.token)) break;
          }
          return proposal;
        },
        rewind: () => undefined,
        dispose: () => undefined,
      };
    },
  };
}

function mostFrequent({ vocabulary, tokens, probabilities }: Distribution): Distribution {
  const best = probabilities.indexOf(probabilities.reduce((a, b) => Math.max(a, b), 0));
  return oneHot(vocabulary, (tokens as Int32Array)[best]);
}
