/** No answer of a hub nests deeper; a million brackets would cost a hundred times their size as objects. */
const DEEPEST = 64;

/**
 * Parses JSON whose nesting is limited, so that it costs memory in proportion to its length.
 *
 * @throws SyntaxError when the text is not JSON or nests too deep
 */
export function parseShallowJson(text: string): unknown {
  let depth = 0;
  let insideText = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (insideText) {
      if (character === '\\') i++;
      else if (character === '"') insideText = false;
    } else if (character === '"') insideText = true;
    else if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
    if (depth > DEEPEST) throw new SyntaxError(`more than ${DEEPEST} levels of nesting`);
  }
  return JSON.parse(text);
}
