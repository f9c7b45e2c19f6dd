import { type ErrorCode, printable, TandemError } from '../common';

/** Exit codes of the command, besides 0. The help states them. */
export const EXIT = { failed: 1, usage: 2, interrupted: 130, terminated: 143 } as const;

/** An error that the command itself finds, in its arguments or in the files that they name. */
export class CommandError<Code extends ErrorCode = ErrorCode> extends TandemError<Code> {
  override readonly name = 'CommandError';
}

/** Codes that mean: the command was called wrongly. Everything else failed on the way. */
const USAGE: readonly unknown[] = ['option-invalid', 'argument-invalid'];

/** The exit code that an error ends the command with. */
export function exitCodeOf(error: unknown): number {
  return error instanceof TandemError && USAGE.includes(error.code) ? EXIT.usage : EXIT.failed;
}

/** Whether an error says that an abort signal was heard, whoever threw it. */
export function isCancellation(error: unknown): boolean {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  return name === 'AbortError' || code === 'aborted' || code === 'ABORT_ERR';
}

/** Longest error text that is printed, in characters. */
const LONGEST = 2000;

/** An error as one line that is safe for a terminal. A stack trace is never shown. */
export function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message || error.name : String(error);
  const parts = message.slice(0, LONGEST).split('\n');
  const line = parts.map((part) => part.trim()).filter((part) => part !== '');
  const text = printable(line.join(' ')) || 'failed for no stated reason';
  return message.length > LONGEST ? `${text}…` : text;
}

/** What the operating system says of a failed call, such as ENOENT. */
export function systemCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
