/** Which functions of the sources the page shows, and how they are cut out. */

/** By step: the file, and the text with which the excerpt begins. It ends with the function. */
export const SHOWN = {
  propose: { file: 'decoding/drafters/growth.ts', from: 'export async function growTrees' },
  score: { file: 'decoding/round.ts', from: 'export async function round' },
  accept: { file: 'decoding/verification/token.ts', from: 'export function accepts' },
  verify: { file: 'decoding/verification/token.ts', from: 'export function verifyTokens' },
  residual: { file: 'decoding/sampling/distribution.ts', from: 'export function excess' },
  draw: { file: 'decoding/sampling/random.ts', from: 'export function inverse' },
  tree: { file: 'decoding/verification/tree.ts', from: 'export function verifyTree' },
  siblings: { file: 'decoding/verification/tree.ts', from: 'export function verifySiblings' },
  block: { file: 'decoding/verification/block.ts', from: 'export function verifyBlock' },
  coupled: { file: 'decoding/verification/coupled.ts', from: 'export function verifyCoupled' },
  lenient: { file: 'decoding/verification/lenience.ts', from: 'function accepts' },
  caches: { file: 'decoding/verification/accept.ts', from: 'export function accept' },
};

/**
 * The function that begins with `from`, up to the brace that closes it at the line's start.
 *
 * @returns its text and its first line, from 1
 */
export function excerptOf(text, from, file) {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.startsWith(from));
  if (first < 0) throw new Error(`${file}: expected a line that starts with '${from}', found none`);
  const last = lines.indexOf('}', first);
  if (last < 0) throw new Error(`${file}: expected the end of '${from}', found none`);
  return { line: first + 1, text: lines.slice(first, last + 1).join('\n') };
}
