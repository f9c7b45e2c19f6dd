import { EXIT, exitCodeOf, oneLine } from './failure';

/** A command that was told to end and has not ended after this time is ended. */
const PATIENCE_MS = 2000;
const SHOW_CURSOR = '\u001b[?25h';

/**
 * Runs the command. Any error becomes one line on standard error and an exit code. Ctrl-C (SIGINT) cancels with code 130 and
 * SIGTERM with 143; a second signal ends the process at once. A reader that closes the pipe ends the command quietly.
 */
export async function guarded(command: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  let exitCode: number = EXIT.failed;
  const cancel = (signal: NodeJS.Signals) => {
    exitCode = signal === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
    // Without a listener the operating system ends the process at the next signal, even while a long computation keeps this
    // thread from running any JavaScript.
    process.off('SIGINT', cancel);
    process.off('SIGTERM', cancel);
    if (process.stderr.isTTY) process.stderr.write(SHOW_CURSOR); // a progress bar hides it
    if (signal === 'SIGTERM') setTimeout(() => process.exit(exitCode), PATIENCE_MS).unref();
    controller.abort();
  };
  process.on('SIGINT', cancel);
  process.on('SIGTERM', cancel);
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? process.exit(0) : end(error)));
  }
  try {
    await command(controller.signal);
  } catch (error) {
    const cancelled = controller.signal.aborted;
    process.stderr.write(`tandem: ${cancelled ? 'cancelled' : oneLine(error)}\n`);
    process.exitCode = cancelled ? exitCode : exitCodeOf(error);
  } finally {
    process.off('SIGINT', cancel);
    process.off('SIGTERM', cancel);
  }
}

/** Ends the process at an error that nobody caught. */
function end(error: unknown): never {
  try {
    process.stderr.write(`tandem: ${oneLine(error)}\n`);
  } finally {
    process.exit(EXIT.failed);
  }
}
