import { printable, shortened } from './text';

/** No settings and no answer of a hub nest deeper; a million brackets would cost a hundred times their size as objects. */
const DEEPEST = 64;

/**
 * Parses JSON whose nesting is limited, so that it costs memory in proportion to its length, and so that nothing which walks
 * through the value runs out of stack.
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

/** A value of a JSON file in an error message: as JSON, short, on one line, and safe for a terminal. */
export function quotedJson(value: unknown): string {
  return printable(shortened(textOf(value)));
}

function textOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'none';
  } catch {
    return 'a value that nests too deep'; // the runtime ran out of stack; how deep it can go differs from one to the other
  }
}
