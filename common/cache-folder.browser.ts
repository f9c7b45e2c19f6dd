/** A page has no directory of its user's. */
export function cacheFolder(): string | null {
  return null;
}
