import type { Location } from './location.node';

export type { Location } from './location.node';

/** As in Node. A page has no directories: text that begins with `/`, `./` or `../` is an address relative to the page. */
export function locationOf(source: string | URL): Location {
  const text = String(source);
  if (/^(https?|blob|data|file):/i.test(text)) return { kind: 'url', url: text };
  if (/^\.{0,2}\//.test(text)) return { kind: 'url', url: new URL(text, globalThis.location.href).href };
  return { kind: 'name', name: text };
}
