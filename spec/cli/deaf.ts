import { guarded } from '../../cli/guard';

/** A command that, once it is cancelled, computes for ever without letting the event loop run. Built and started by signals.spec.ts. */
void guarded(async (signal) => {
  const keepAlive = setInterval(() => undefined, 1000);
  process.stdout.write('ready\n');
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  clearInterval(keepAlive);
  process.stdout.write('deaf\n');
  for (;;);
});
