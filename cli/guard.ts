import { EXIT, exitCodeOf, oneLine } from './failure';

/** A command that was told to end and has not ended after this time is ended. */
const PATIENCE_MS = 2000;
/** Tells how long a command may take to end after a signal. */
export type Patience = (milliseconds: number) => void;

const SHOW_CURSOR = '\u001b[?25h';

/**
 * Runs the command. Any error becomes one line on standard error and an exit code. Ctrl-C (SIGINT) cancels with code 130 and
 * SIGTERM with 143; a second signal ends the process at once. A reader that closes the pipe ends the command quietly.
 */
export async function guarded(command: (signal: AbortSignal, patience: Patience) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  let patience = PATIENCE_MS;
  let exitCode: number = EXIT.failed;
  const cancel = (signal: NodeJS.Signals) => {
    exitCode = signal === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
    // Without a listener the operating system ends the process at the next signal, even while a long computation keeps this
    // thread from running any JavaScript.
    process.off('SIGINT', cancel);
    process.off('SIGTERM', cancel);
    if (process.stderr.isTTY) process.stderr.write(SHOW_CURSOR); // a progress bar hides it
    // process.exit would wait for a file system call that never returns, such as opening a FIFO; the signal itself does not.
    if (signal === 'SIGTERM') setTimeout(() => process.kill(process.pid, signal), patience).unref();
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
    await command(controller.signal, (milliseconds) => {
      patience = milliseconds;
    });
  } catch (error) {
    const cancelled = controller.signal.aborted;
    if (cancelled) process.stderr.write('tandem: cancelled\n');
    process.exitCode = cancelled ? exitCode : reportError(error);
  } finally {
    process.off('SIGINT', cancel);
    process.off('SIGTERM', cancel);
  }
}

/** Prints an error as one line on standard error. @returns the exit code that it ends the command with */
export function reportError(error: unknown): number {
  process.stderr.write(`tandem: ${oneLine(error)}\n`);
  return exitCodeOf(error);
}

/** Ends the process at an error that nobody caught. */
function end(error: unknown): never {
  try {
    reportError(error);
  } finally {
    process.exit(EXIT.failed);
  }
}
