import { quoted } from '../../common';
import { DecodingError } from '../errors';
import { chain } from '../proposal';
import { type Distribution, mostProbableEntries, oneHot, tokenAt } from '../sampling/distribution';
import type { Drafter } from './drafter';
import { readCounts } from './ngram-counts';

/** Counts of tokens after contexts of 0 … order − 1 tokens. */
export class NgramTable {
  private readonly counts = new Map<string, Map<number, number>>();
  /** Distributions that were computed before, until a count of their context changes. */
  private readonly distributions = new Map<string, Distribution>();

  /** @param order n of the longest n-grams: 1 is a unigram table, 2 a bigram table */
  constructor(
    readonly order: number,
    readonly vocabularySize: number,
  ) {
    if (!Number.isInteger(order) || order < 1 || order > 8) {
      throw new DecodingError('option-invalid', `order: expected a whole number from 1 to 8, found ${quoted(order)}`);
    }
  }

  /** Number of contexts that have counts. */
  get size(): number {
    return this.counts.size;
  }

  /** Counts every n-gram of a sequence that ends at an index from `from` on and before `to`. */
  learn(ids: readonly number[], from = 0, to = ids.length): void {
    for (let end = from; end < to; end++) {
      for (let n = 0; n < this.order && n <= end; n++) this.count(ids.slice(end - n, end).join(), ids[end], 1);
    }
  }

  /** The distribution of the tokens counted after the last `length` of `ids`; null when that context was never counted. */
  after(ids: readonly number[], length: number): Distribution | null {
    if (length >= this.order || length > ids.length) return null;
    const context = ids.slice(ids.length - length).join();
    const seen = this.counts.get(context);
    if (!seen) return null;
    let distribution = this.distributions.get(context);
    if (!distribution) {
      distribution = distributionOfCounts(seen, this.vocabularySize);
      this.distributions.set(context, distribution);
    }
    return distribution;
  }

  toJSON(): object {
    const contexts = Object.fromEntries([...this.counts].map(([context, seen]) => [context, [...seen].flat()]));
    return { format: 'tandem-ngram', version: 1, order: this.order, vocabularySize: this.vocabularySize, contexts };
  }

  /** @throws DecodingError `option-invalid` when the value is not such a table */
  static fromJSON(value: unknown, name = 'n-gram table'): NgramTable {
    const { order, vocabularySize, counts } = readCounts(value, name);
    const table = new NgramTable(order, vocabularySize);
    for (const [context, token, count] of counts) table.count(context, token, count);
    return table;
  }

  private count(context: string, token: number, by: number): void {
    this.distributions.delete(context);
    let seen = this.counts.get(context);
    if (!seen) {
      seen = new Map();
      this.counts.set(context, seen);
    }
    seen.set(token, (seen.get(token) ?? 0) + by);
  }
}

function distributionOfCounts(seen: ReadonlyMap<number, number>, vocabulary: number): Distribution {
  const tokens = Int32Array.from(seen.keys()).sort();
  const counts = Float64Array.from(tokens, (token) => seen.get(token) as number);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return { vocabulary, tokens, probabilities: counts.map((count) => count / total) };
}

/** The distribution after the longest context that any table knows; of two tables that know it, the first one's. */
export function longestKnown(tables: readonly NgramTable[], ids: readonly number[]): Distribution | null {
  for (let length = Math.max(0, ...tables.map((table) => table.order - 1)); length >= 0; length--) {
    for (const table of tables) {
      const found = table.after(ids, length);
      if (found) return found;
    }
  }
  return null;
}

export interface NgramOptions {
  /** Counts from other texts. */
  readonly table?: NgramTable;
  /** Order of the n-grams that are counted in the output itself as it grows; 0 counts none. Default 3. */
  readonly online?: number;
}

/**
 * Proposes by n-gram counts of the output so far and of a table. The longer context decides; of equal ones, the output's own.
 * Greedy decoding takes the most frequent token; sampling draws from the counts.
 *
 * @throws DecodingError `vocabulary-mismatch` when the table has another vocabulary size
 */
export function ngramDrafter(vocabularySize: number, options: NgramOptions = {}): Drafter {
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
      const output = online > 0 ? new NgramTable(online, vocabularySize) : null;
      const tables = [output, table].filter((one): one is NgramTable => one != null);
      let learned = 0;
      let calls = 0;
      return {
        get calls() {
          return calls;
        },
        propose: async ({ ids, gamma, draw, eosTokens, processing }) => {
          output?.learn(ids.slice(1), learned); // only what finished rounds brought, so that a seed fixes the text
          learned = ids.length - 1;
          const draws = [];
          const context = ids.slice(1); // the start token is not part of the text
          while (draws.length < gamma) {
            const counts = longestKnown(tables, context);
            if (!counts) break;
            calls++;
            const greedy = (processing.temperature ?? 0) === 0;
            const drawn = draw(greedy ? mostFrequent(counts) : counts, 1 + context.length);
            draws.push(drawn);
            context.push(drawn.token);
            if (eosTokens.includes(drawn.token)) break;
          }
          return chain(draws);
        },
        rewind: (length) => {
          learned = Math.min(learned, length - 1); // what drafts for another draft has read tokens that may be rejected
        },
        dispose: () => undefined,
      };
    },
  };
}

function mostFrequent(counts: Distribution): Distribution {
  const [best] = mostProbableEntries(counts, 1);
  return oneHot(counts.vocabulary, tokenAt(counts, best));
}
