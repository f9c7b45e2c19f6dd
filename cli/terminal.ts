import { printable } from '../common';

/** Text of a model, a file or a hub as a stream may show it: on a terminal without control characters, in a pipe unchanged. */
export function shown(text: string, terminal: boolean): string {
  return terminal ? printable(text) : text;
}

const UNSAFE = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/**
 * One JSON object on a line of its own. JSON escapes only the control characters below 0x20; the others, which a terminal
 * may obey as well, are escaped here. The value that a program reads back is the same.
 */
export function jsonLine(value: unknown): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `${JSON.stringify(value).replace(UNSAFE, escaped)}\n`;
}
