import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process that runs; one that has ended and is not yet waited for does not count. */
export interface RunningProcess {
  readonly pid: number;
  readonly command: string;
}

/**
 * Processes that were started on a folder: it is in their arguments or their environment, or they run in it. No single one of
 * these does for every browser: Chromium writes over its environment. Linux only: this reads /proc.
 */
export function processesOn(folder: string): RunningProcess[] {
  const found: RunningProcess[] = [];
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const [command, environment] = ['cmdline', 'environ'].map((file) =>
        readFileSync(`/proc/${name}/${file}`, 'latin1'),
      );
      const isOnFolder = [command, environment, readlinkSync(`/proc/${name}/cwd`)].some((text) =>
        text.includes(folder),
      );
      if (isOnFolder) found.push({ pid: Number(name), command: command.replaceAll('\0', ' ').trim() });
    } catch {
      // It ended while this looked, or belongs to somebody else.
    }
  }
  return found;
}

/** Asks again and again until a condition holds; the error names what was waited for. */
export async function waitUntil(what: string, holds: () => boolean, milliseconds: number): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`expected within ${milliseconds / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
