/** Exit codes of the command. */
export const EXIT = { failed: 1, usage: 2, cancelled: 130 } as const;

/** Something the user can put right: one line on standard error, and this exit code. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  constructor(
    message: string,
    readonly exitCode: number = EXIT.usage,
  ) {
    super(message);
  }
}

/** Errors that an abort ends in, whoever threw them. */
export function isCancellation(error: unknown): boolean {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  return name === 'AbortError' || code === 'aborted' || code === 'ABORT_ERR';
}

/** One line for any error: whatever is thrown, nobody sees a stack trace. */
export function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return message.replace(/\s*\n\s*/g, ' ').trim() || 'failed for no stated reason';
}
