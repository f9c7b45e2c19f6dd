/**
 * Uses the package's browser bundle as it ships, without a bundler, as a program would. The page imports this file, and so does
 * bundle-worker.mjs.
 */

/** Loads the bundled pair and decodes a text. */
export async function decodeText({ input, loadOptions, options }) {
  const { Tandem } = await import('/bundle/index.mjs');
  const bundledUrl = new URL('/models/', location.origin);
  const tandem = await Tandem.load(undefined, { bundledUrl, ...loadOptions });
  try {
    const { text, ids } = await tandem.generate(input, options);
    const { name, level, threads } = tandem.backend;
    return { text, ids, backend: name, level, threads };
  } finally {
    await tandem.dispose();
  }
}
