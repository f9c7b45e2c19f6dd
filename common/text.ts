/** Longest text from outside that an error message quotes, in characters. */
const LONGEST_QUOTE = 80;

// biome-ignore lint/suspicious/noControlCharactersInRegex: removing control characters is what this expression is for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/**
 * Makes text from a model, a file or a hub safe for a terminal: every control character and every mark that changes the
 * direction of writing becomes its escape, such as `\x1b`.
 */
export function printable(text: string): string {
  return text.replace(CONTROL, (character) => {
    const code = character.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}

/** Quotes a value in an error message: short, on one line, and safe for a terminal. Costs no more than the quote itself. */
export function quoted(value: unknown): string {
  if (typeof value === 'string') return `'${printable(shortened(value))}'`;
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value))
    return printable(
      shortened(
        `[${value
          .slice(0, 10)
          .map((item) => (typeof item === 'object' && item !== null ? 'an object' : String(item)))
          .join(', ')}${value.length > 10 ? ', …' : ''}]`,
      ),
    );
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null)
    return `an object (${printable(shortened(Object.prototype.toString.call(value).slice(8, -1)))})`;
  return String(value);
}

/** The beginning of a text that is longer than `longest` characters, and the sign that it goes on. */
export function shortened(text: string, longest = LONGEST_QUOTE): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}

/** A number of things: `1 call`, `2 calls`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

/** The known word that is nearest to an unknown one, null when none is near enough to be a likely slip of the pen. */
export function nearest(word: string, known: readonly string[]): string | null {
  const plain = (text: string) => text.toLowerCase().replace(/[-_]/g, '');
  let best: string | null = null;
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(plain(word).slice(0, 64), plain(candidate));
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Levenshtein's distance: the least number of characters to insert, remove or replace. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      row[j] = Math.min(row[j - 1] + 1, previous[j] + 1, previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    previous = row;
  }
  return previous[b.length];
}
