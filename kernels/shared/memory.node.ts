import { totalmem } from 'node:os';

/** The most bytes a process may hope to hold: the machine's memory, or the container's limit where that is lower. */
export function memoryBytes(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
