/** What Python's `str.split` takes for white space; JavaScript's `\s` has U+FEFF and lacks U+001C to U+001F and U+0085. */
const SPACE = '\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const SPACES = new RegExp(`[${SPACE}]+`, 'u');
const SPACES_AT_END = new RegExp(`[${SPACE}]+$`, 'u');

/** Words between white space, as Python's `str.split` gives them. */
export function splitWords(text: string): string[] {
  return text.split(SPACES).filter((word) => word !== '');
}

/** The text without white space at its end, as Python's `str.rstrip` gives it. */
export function trimEnd(text: string): string {
  return text.replace(SPACES_AT_END, '');
}

/** How often each run of n items occurs. Items hold no NUL between words. */
export function countNgrams(items: readonly string[], n: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let start = 0; start + n <= items.length; start++) {
    const key = items.slice(start, start + n).join('\0');
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Σ of the smaller count of each n-gram. */
export function overlapOf(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [key, count] of one) sum += Math.min(count, other.get(key) ?? 0);
  return sum;
}
