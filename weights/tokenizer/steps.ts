/** Work in parts: a generator gives way after each, and returns the result. */
export type Steps<Result> = Generator<undefined, Result, void>;

/** Most bytes or characters of one part: a few milliseconds of any step of a tokenizer. */
export const PART = 1 << 15;

/** Counts what a loop does, and tells when a part of it is done. */
export class Pace {
  private done = 0;

  /** @param amount bytes, characters or entries */
  isPartDone(amount: number): boolean {
    this.done += amount;
    if (this.done < PART) return false;
    this.done = 0;
    return true;
  }
}

/** Cuts a text into pieces of about a part. `isBoundary` tells whether it may be cut in front of a place; never inside a character. */
export function* pieces(text: string, isBoundary: (at: number) => boolean = () => true): Generator<string, void> {
  let from = 0;
  for (let at = PART; at < text.length; at++) {
    const isInside = (text.charCodeAt(at) & 0xfc00) === 0xdc00; // the second half of a surrogate pair
    if (isInside || !isBoundary(at)) continue;
    yield text.slice(from, at);
    from = at;
    at += PART - 1;
  }
  yield text.slice(from);
}

/** Adds entries to the end of a list, however many they are. */
export function* append(list: number[], more: readonly number[]): Steps<void> {
  for (let i = 0; i < more.length; ) {
    if (i > 0) yield;
    for (const end = Math.min(more.length, i + PART); i < end; i++) list.push(more[i]);
  }
}

/** Does all parts at once. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
