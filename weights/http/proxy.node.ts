import { BlockList, isIP } from 'node:net';
import { invalid } from '../../common';

export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the environment names for an address, or null. The variables are those of curl and of Python's requests:
 * `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy`, in small or capital letters; small ones come first.
 *
 * @throws TandemError `option-invalid` when the variable holds no address of an HTTP proxy
 */
export function proxyFor(url: URL, variables: Variables): URL | null {
  const [name, value] = proxyVariable(url, variables) ?? [];
  if (!name || !value || isExcluded(url, read(variables, 'no_proxy')?.[1] ?? '')) return null;
  return parseProxy(name, value);
}

function proxyVariable(url: URL, variables: Variables): [string, string] | null {
  const specific = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  return read(variables, specific) ?? read(variables, 'all_proxy');
}

/** A variable in small or capital letters; empty text counts as not set. */
function read(variables: Variables, name: string): [string, string] | null {
  const capital = name.toUpperCase();
  // In a CGI program the header `Proxy:` of a request arrives as HTTP_PROXY (https://httpoxy.org).
  const forged = capital === 'HTTP_PROXY' && variables.REQUEST_METHOD !== undefined;
  for (const candidate of forged ? [name] : [name, capital]) {
    const value = variables[candidate]?.trim();
    if (value) return [candidate, value];
  }
  return null;
}

function parseProxy(name: string, value: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  // The value may hold a password: an error does not repeat it.
  throw invalid(name, 'the address of an HTTP proxy', url ? `one for ${url.protocol}` : 'no address');
}

/**
 * Whether `no_proxy` excludes an address. Its items, with commas or spaces between, are `*`, host names (with every name below
 * them, whether or not a dot or `*.` stands in front), IP addresses, ranges such as `10.0.0.0/8`, each with a port if wanted.
 */
function isExcluded(url: URL, list: string): boolean {
  const host = url.hostname.toLowerCase().replace(/^\[|\]$/g, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((item) => item !== '' && matches(item, host, port));
}

function matches(item: string, host: string, port: string): boolean {
  if (item === '*') return true;
  const parts = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(item);
  const isBareAddress = isIP(item) > 0; // the colons of an IPv6 address introduce no port
  const name = isBareAddress ? item : (parts?.[1] ?? item);
  if (!isBareAddress && parts?.[2] !== undefined && parts[2] !== port) return false;
  const suffix = name.replace(/^\*?\./, '');
  if (isIP(host) === 0) return suffix !== '' && (host === suffix || host.endsWith(`.${suffix}`));
  return isIP(name) > 0 ? sameAddress(name, host) : isInRange(name, host);
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

function sameAddress(a: string, b: string): boolean {
  const list = new BlockList();
  list.addAddress(a, family(a));
  return list.check(b, family(b));
}

function isInRange(range: string, host: string): boolean {
  const [network, length] = range.split('/');
  const bits = Number(length);
  if (!/^\d+$/.test(length ?? '') || isIP(network) === 0 || bits > (isIP(network) === 6 ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family(network));
  return list.check(host, family(host));
}
