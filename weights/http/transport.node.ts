import { proxyFor, type Variables } from './proxy.node';
import type { Transport } from './transport';
import { sendThroughProxy } from './tunnel.node';

/**
 * The transport of Node: the built-in `fetch`, or a proxy where the environment names one for the address. Node 20 has no
 * support for proxies of its own, and later versions only on request, so that ours is used on all of them.
 *
 * @param variables environment variables that may name proxies
 */
export function createTransport(variables: Variables = process.env): Transport {
  return (url, request) => {
    const headers = { 'accept-encoding': 'identity', ...request.headers };
    const proxy = proxyFor(new URL(url), variables);
    if (proxy) return sendThroughProxy(proxy, new URL(url), { ...request, headers });
    return fetch(url, { ...request, headers, redirect: 'manual' });
  };
}
