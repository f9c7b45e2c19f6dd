import { CommandError, EXIT, isCancellation, oneLine } from './failure';

/**
 * Runs the command inside a net: any error is one line on standard error and an exit code, Ctrl-C cancels (a second one
 * ends at once), and a reader that has closed the pipe ends the command quietly.
 */
export async function guarded(command: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.cancelled);
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  process.on('uncaughtException', (error) => end(error));
  process.on('unhandledRejection', (error) => end(error));
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? process.exit(0) : end(error)));
  }
  try {
    await command(controller.signal);
  } catch (error) {
    report(error, controller.signal.aborted);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

function report(error: unknown, aborted: boolean): void {
  if (aborted || isCancellation(error)) {
    process.stderr.write('tandem: cancelled\n');
    process.exitCode = EXIT.cancelled;
    return;
  }
  process.stderr.write(`tandem: ${oneLine(error)}\n`);
  process.exitCode = error instanceof CommandError ? error.exitCode : EXIT.failed;
}

function end(error: unknown): never {
  try {
    process.stderr.write(`tandem: ${oneLine(error)}\n`);
  } finally {
    process.exit(EXIT.failed);
  }
}
