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

// Characters of which a rule that is not complete may consist. One rule can make what another one looks for, as in `n ' t`.
const UNDECIDED = new Set([' ', "'", 'n', 'v', 'r']);

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

/** Every rule begins with a space: what lies before the first space of the undecided end is certain. */
function undecidedLength(text: string): number {
  let start = text.length;
  while (start > 0 && UNDECIDED.has(text[start - 1])) start--;
  const space = text.indexOf(' ', start);
  return space < 0 ? 0 : text.length - space;
}
