/** The most bytes a page may hope to hold: what the browser tells (it rounds and caps it), or 4 GiB. */
export function memoryBytes(): number {
  const gigabytes = (globalThis.navigator as { deviceMemory?: number } | undefined)?.deviceMemory ?? 4;
  return gigabytes * 2 ** 30;
}
