/**
 * The program of the worker as text: `scripts/build.mjs` bundles `entry.node.ts`, or for pages `entry.browser.ts`, and puts the
 * text in the place of this file. A worker that starts from text needs no file to be found, so any bundler can carry it.
 * Null in the sources.
 */
export const PROGRAM: string | null = null;
