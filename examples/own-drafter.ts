/**
 * A drafter of one's own, and its proof. A phrase book says which token usually follows another one, as logs, forms and code have
 * it. The drafter proposes along the book; the target checks, so a wrong page costs time and never changes the text.
 *
 *   const tandem = await Tandem.load('google/flan-t5-small', { draft: null });
 *   const drafter = phraseBook(tandem.core.target.vocabularySize, pagesOf(idsOfEarlierTexts));
 *   for await (const event of generate({ target: tandem.core.target, drafter, source, settings })) …
 *
 * `prove` follows every path of the shipped loop with this drafter and compares the distribution of the texts with the target's.
 */
import { chain, type Drafter, type DraftRequest, type Draw, oneHot } from 'tandem-t5/core';
import { checkDrafter, type LawReport } from 'tandem-t5/testing';

/** What usually follows each token. */
export type PhraseBook = ReadonlyMap<number, number>;

/** The book of some texts: after each token, the one that followed it most recently. */
export function pagesOf(texts: readonly (readonly number[])[]): PhraseBook {
  const book = new Map<number, number>();
  for (const ids of texts) {
    for (const [i, token] of ids.slice(1).entries()) book.set(ids[i], token);
  }
  return book;
}

/**
 * Proposes along the book until a page is missing. A token that the book names is certain: it is drawn from the distribution that has
 * it alone. `request.draw` draws it, in the way that the verification of the round needs.
 */
export function phraseBook(vocabularySize: number, book: PhraseBook): Drafter {
  const propose = ({ ids, gamma, draw }: DraftRequest) => {
    const draws: Draw[] = [];
    let last = ids[ids.length - 1];
    while (draws.length < gamma) {
      const next = book.get(last);
      if (next === undefined) break;
      draws.push(draw(oneHot(vocabularySize, next), ids.length + draws.length));
      last = next;
    }
    return chain(draws);
  };
  return {
    name: 'phrase book',
    vocabularySize,
    open: async () => ({
      calls: 0, // no model runs
      propose: async (request) => propose(request),
      rewind: () => undefined, // it remembers nothing of a sequence
      dispose: () => undefined,
    }),
  };
}

/** The proof: on models over three words, with a book that is right for some tokens and wrong for others. */
export function prove(): Promise<LawReport> {
  const book = pagesOf([
    [0, 2, 1],
    [2, 0],
  ]);
  return checkDrafter((target) => phraseBook(target.vocabularySize, book));
}
