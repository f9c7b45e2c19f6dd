import { fileURLToPath } from 'node:url';

/** Where a model that was named by text or by a URL is. */
export type Location =
  /** A directory of files behind HTTP. */
  | { readonly kind: 'url'; readonly url: string }
  /** A directory of this machine, or a hub id. */
  | { readonly kind: 'name'; readonly name: string };

/** A file as it is named: Node finds it from the working directory. */
export function addressOf(file: string): string {
  return file;
}

/** Tells addresses from directories and hub ids. A `file:` URL is a directory. */
export function locationOf(source: string | URL): Location {
  const text = String(source);
  if (/^https?:\/\//i.test(text)) return { kind: 'url', url: text };
  if (/^file:\/\//i.test(text)) return { kind: 'name', name: fileURLToPath(text) };
  return { kind: 'name', name: text };
}
