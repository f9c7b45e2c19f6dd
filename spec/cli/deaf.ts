import { open } from 'node:fs/promises';
import { guarded } from '../../cli/guard';

/**
 * A command that does not end when it is cancelled. Built and started by signals.spec.ts. With a FIFO as its argument it waits in
 * a file system call that never returns; without, it computes for ever once it is cancelled, and the event loop stands still.
 */
void guarded(async (signal) => {
  const keepAlive = setInterval(() => undefined, 1000);
  const [, , fifo] = process.argv;
  process.stdout.write('ready\n');
  if (fifo !== undefined) await open(fifo);
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  clearInterval(keepAlive);
  process.stdout.write('deaf\n');
  for (;;);
});
