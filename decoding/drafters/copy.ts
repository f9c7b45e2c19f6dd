import { oneHot } from '../distribution';
import type { Drafter } from '../drafter';
import { type Match, START, SuffixAutomaton } from './suffix-automaton';

/**
 * Proposes what follows, in the source, the longest suffix of the text that occurs there: free, and often right where the
 * output repeats its input (editing, summarising, translation of names). Each proposal is certain of its token, so its
 * distribution is one-hot.
 *
 * @param least shortest suffix, in tokens, worth going on from
 */
export function copyDrafter(vocabularySize: number, least = 2): Drafter {
  return {
    name: 'copy',
    vocabularySize,
    open: async (source) => {
      const automaton = new SuffixAutomaton(source);
      const matches: Match[] = [START]; // after the start token, which the source does not have
      return {
        calls: 0,
        propose: async ({ ids, gamma, draw, eosTokens }) => {
          for (let i = matches.length; i < ids.length; i++) matches.push(automaton.follow(matches[i - 1], ids[i]));
          const match = matches[ids.length - 1];
          if (match.length < least) return [];
          const from = automaton.endOf(match.state) + 1;
          const tokens = source.slice(from, from + gamma);
          const end = tokens.findIndex((token) => eosTokens.includes(token));
          const kept = end < 0 ? tokens : tokens.slice(0, end + 1);
          return kept.map((token, i) => draw(oneHot(vocabularySize, token), ids.length + i));
        },
        rewind: (length) => {
          matches.length = Math.min(matches.length, Math.max(1, length));
        },
        release: () => undefined,
      };
    },
  };
}
