import type { Transport } from './transport';

/**
 * The transport of a page. A page cannot see redirects: its browser follows them, and takes the `Authorization` header away
 * when one leads to another origin (Fetch standard, "HTTP-redirect fetch", step 13). Proxies are the browser's matter too.
 */
export function createTransport(): Transport {
  return (url, { method, headers, signal }) => fetch(url, { method, headers, signal });
}
