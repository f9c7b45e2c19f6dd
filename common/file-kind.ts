/** What a look at a place of a file system tells; Node's `Stats` is one. */
interface Place {
  isFile(): boolean;
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}

/** What is at a place, in words for an error: `a file`, `a directory`, `a named pipe`, `a socket` or `a device`. */
export function fileKind(found: Place): string {
  if (found.isFile()) return 'a file';
  if (found.isDirectory()) return 'a directory';
  if (found.isFIFO()) return 'a named pipe';
  return found.isSocket() ? 'a socket' : 'a device';
}
