/** Which functions the page shows; see excerpts.mjs. */
export const SHOWN: Readonly<Record<string, { readonly file: string; readonly from: string }>>;
export function excerptOf(text: string, from: string, file: string): { readonly line: number; readonly text: string };
