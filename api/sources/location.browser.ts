import type { Location } from './location.node';

export type { Location } from './location.node';

/** The absolute address of a file that a page names. */
export function addressOf(file: string): string {
  return new URL(file, globalThis.location.href).href;
}

/** As in Node. A page has no directories: text that begins with `/`, `./` or `../` is an address relative to the page. */
export function locationOf(source: string | URL): Location {
  const text = String(source);
  if (/^(https?|blob|data|file):/i.test(text)) return { kind: 'url', url: text };
  if (/^\.{0,2}\//.test(text)) return { kind: 'url', url: addressOf(text) };
  return { kind: 'name', name: text };
}
