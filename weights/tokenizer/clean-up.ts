import type { IncrementalDecoder } from '../types';

/**
 * Takes out spaces before punctuation and before English endings, as `clean_up_tokenization` of transformers does: the rules one
 * after the other, each over the whole text.
 */
export function cleanUp(text: string): string {
  return text
    .replaceAll(' .', '.')
    .replaceAll(' ?', '?')
    .replaceAll(' !', '!')
    .replaceAll(' ,', ',')
    .replaceAll(" ' ", "'")
    .replaceAll(" n't", "n't")
    .replaceAll(" 'm", "'m")
    .replaceAll(" 's", "'s")
    .replaceAll(" 've", "'ve")
    .replaceAll(" 're", "'re");
}

// What a rule may still change when more text comes: spaces and quotes from the first space on, and the beginning of an ending.
const UNDECIDED = /[ '](?:n'?|(?<=')[vr])?$/;

/** A decoder whose text is cleaned up as it grows. All its text together is `cleanUp` of the other's. */
export function cleaningDecoder(decoder: IncrementalDecoder): IncrementalDecoder {
  let kept = '';
  const pass = (text: string): string => {
    const whole = kept + text;
    const undecided = undecidedLength(whole);
    kept = whole.slice(whole.length - undecided);
    return cleanUp(whole.slice(0, whole.length - undecided));
  };
  return {
    push: (id) => pass(decoder.push(id)),
    end() {
      const rest = cleanUp(kept + decoder.end());
      kept = '';
      return rest;
    },
  };
}

function undecidedLength(text: string): number {
  const match = UNDECIDED.exec(text);
  if (match === null) return 0;
  let start = match.index;
  while (start > 0 && (text[start - 1] === ' ' || text[start - 1] === "'")) start--;
  // Quotes at the front of the run have no space before them: no rule touches them.
  while (text[start] === "'") start++;
  return text.length - start;
}
