const TRIED = 'tandem-isolation';
const PATIENCE_MILLISECONDS = 2000;

/**
 * Makes the page cross-origin isolated where its host does not: a service worker adds the headers, and the page loads once more.
 * Where that does not work, one thread decodes.
 *
 * @returns false when the page is about to load again
 */
export async function isolate(): Promise<boolean> {
  if (globalThis.crossOriginIsolated || !navigator.serviceWorker || sessionStorage.getItem(TRIED)) return true;
  sessionStorage.setItem(TRIED, 'yes'); // one attempt: a page that loads again and again is worse than one thread
  const isReady = await Promise.race([register(navigator.serviceWorker), afterPatience()]);
  if (isReady) location.reload();
  return !isReady;
}

async function register(container: ServiceWorkerContainer): Promise<boolean> {
  try {
    await container.register(new URL('isolate.js', document.baseURI));
    await container.ready;
    return true;
  } catch {
    return false; // the browser allows none here
  }
}

/** A browser that keeps service workers back may never answer. */
function afterPatience(): Promise<boolean> {
  return new Promise((resolve) => setTimeout(() => resolve(false), PATIENCE_MILLISECONDS));
}
