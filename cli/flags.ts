import { InvalidArgumentError } from 'commander';

/** Parsers of flag values. Each throws commander's own error, which names the flag; the message says expected and found. */
function refuse(expected: string, found: string): never {
  throw new InvalidArgumentError(`expected ${expected}, found ${JSON.stringify(found)}`);
}

export function integer(least: number, most: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range =
    most === Number.MAX_SAFE_INTEGER ? `an integer of at least ${least}` : `an integer from ${least} to ${most}`;
  return (text) => {
    const value = /^[+-]?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
    return Number.isSafeInteger(value) && value >= least && value <= most ? value : refuse(range, text);
  };
}

/** A decimal number from `least` to `most`, both included unless `open` leaves `least` out. */
export function decimal(least: number, most: number, open = false): (text: string) => number {
  const upper = Number.isFinite(most) ? ` and at most ${most}` : '';
  const range = `a number ${open ? 'above' : 'of at least'} ${least}${upper}`;
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    const fits = Number.isFinite(value) && value <= most && (open ? value > least : value >= least);
    return fits ? value : refuse(range, text);
  };
}

/** Token ids as `5,17,1`. */
export function tokenIds(text: string): number[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.some((part) => !/^\d+$/.test(part) || !Number.isSafeInteger(Number(part)))) {
    refuse('token ids as 5,17,1', text);
  }
  return parts.map(Number);
}

export function oneOf<T extends string>(...choices: readonly T[]): (text: string) => T {
  return (text) => choices.find((choice) => choice === text) ?? refuse(`one of ${choices.join(', ')}`, text);
}

/** Numbers with commas between, at least `least` of them. */
export function decimals(least: number, what: string): (text: string) => number[] {
  return (text) => {
    const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    const sound = values.length >= least && values.every((value) => Number.isFinite(value) && value >= 0);
    return sound ? values : refuse(what, text);
  };
}

/** Whole numbers from 1 up with commas between. */
export function counts(text: string): number[] {
  const values = text.split(',').map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : 0));
  return values.every((value) => value >= 1) ? values : refuse('whole numbers from 1 up, as 3,1,1', text);
}
