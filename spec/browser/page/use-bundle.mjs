/**
 * Uses the package's browser bundle as it ships, without a bundler, as a program would. The page imports this file, and so does
 * bundle-worker.mjs.
 */

/** WebKitGTK has no symbol of its own. */
const ASYNC_DISPOSE = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');

/** Loads the bundled pair, does something with it, and gives it back. */
async function withTandem(loadOptions, use) {
  const { Tandem } = await import('/bundle/index.mjs');
  const bundledUrl = new URL('/models/', location.origin);
  const tandem = await Tandem.load(undefined, { bundledUrl, ...loadOptions });
  try {
    return await use(tandem);
  } finally {
    await tandem[ASYNC_DISPOSE]();
  }
}

export function decodeText({ input, loadOptions, options }) {
  return withTandem(loadOptions, async (tandem) => {
    const { text, ids } = await tandem.generate(input, options);
    const { name, level, threads, worker } = tandem.backend;
    return { text, ids, backend: name, level, threads, worker };
  });
}

/** Ids of a source with its closing EOS. */
function sourceOf(length) {
  return Array.from({ length }, (_, i) => (i < length - 1 ? 100 + i : 1));
}

/**
 * Encodes a source of `length` tokens for one new token, and counts what the page's main thread does meanwhile: timers that fire
 * and frames that are drawn, each of which asks for the next.
 */
export function countTurns({ length, loadOptions }) {
  const source = sourceOf(length);
  return withTandem(loadOptions, async (tandem) => {
    const turns = { timers: 0, frames: 0 };
    let isDecoding = true;
    const onTimer = () => {
      turns.timers++;
      if (isDecoding) setTimeout(onTimer);
    };
    const onFrame = () => {
      turns.frames++;
      if (isDecoding) requestAnimationFrame(onFrame);
    };
    setTimeout(onTimer);
    requestAnimationFrame(onFrame);
    const { ids } = await tandem.generate(source, { maxNewTokens: 1, speculative: false });
    isDecoding = false;
    return { ...turns, tokens: ids.length };
  });
}

/**
 * Cancels a call after its first token, then decodes again with the same model. With `abortedLength`, the first call has a source
 * of so many tokens, and is cancelled after a few turns of the event loop, while it is encoded.
 */
export function abortThenDecode({ input, abortedLength, loadOptions, options }) {
  return withTandem(loadOptions, async (tandem) => {
    const controller = new AbortController();
    const aborted = abortedLength === undefined ? input : sourceOf(abortedLength);
    if (abortedLength !== undefined) setTimeout(() => controller.abort(), 5);
    let tokens = 0;
    let code = 'no error';
    try {
      for await (const { kind } of tandem.stream(aborted, { signal: controller.signal })) {
        if (kind === 'token') tokens++;
        controller.abort();
      }
    } catch (error) {
      code = error.code;
    }
    const { text } = await tandem.generate(input, options);
    return { code, tokens, text };
  });
}

/** Scores a target, embeds a text, and decodes a source of which some ids are hidden. */
export function useSources({ input, target, masked, loadOptions, options }) {
  return withTandem(loadOptions, async (tandem) => {
    const [score] = await tandem.score(input, [target]);
    const vector = await tandem.embed(input);
    const { ids } = await tandem.generate(masked, options);
    return { logProb: score.logProb, vector: Array.from(vector), ids };
  });
}
