import { createHash, timingSafeEqual } from 'node:crypto';
import { quoted } from '../common';
import { RequestError } from './failure';

/** Whether an address is of this machine alone. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '');
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);
}

/**
 * Refuses a request to a server of this machine alone that names another host. A page can make its own name point to 127.0.0.1
 * (DNS rebinding), and would then be the server's own origin for a browser; the name still stands in the header.
 *
 * @throws RequestError 403
 */
export function checkHost(header: string | null): void {
  const name = /^(\[[^\]]*\]|[^:]*)(:\d+)?$/.exec(header ?? '')?.[1] ?? '';
  if (isLoopback(name)) return;
  const found = header === null ? 'none' : quoted(header);
  throw new RequestError(403, `Host: expected localhost or 127.0.0.1, found ${found}`, { code: 'host_not_allowed' });
}

/** A check of the API key that takes as long for a wrong key as for a nearly right one. @throws RequestError 401 */
export function keyCheck(key: string): (header: string | null) => void {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(key);
  return (header) => {
    const given = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return;
    const found = header === null ? 'none' : 'another';
    throw new RequestError(401, `Authorization: expected Bearer and the server's API key, found ${found}`, {
      ...{ type: 'authentication_error', code: 'invalid_api_key' },
      headers: { 'WWW-Authenticate': 'Bearer' },
    });
  };
}
