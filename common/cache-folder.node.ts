import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where Tandem keeps what it can make again, in the user's cache directory. */
export function cacheFolder(
  { XDG_CACHE_HOME, LOCALAPPDATA }: Readonly<Record<string, string | undefined>> = process.env,
): string {
  if (XDG_CACHE_HOME) return join(XDG_CACHE_HOME, 'tandem');
  if (process.platform === 'win32' && LOCALAPPDATA) return join(LOCALAPPDATA, 'tandem', 'cache');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'tandem');
  return join(homedir(), '.cache', 'tandem');
}
