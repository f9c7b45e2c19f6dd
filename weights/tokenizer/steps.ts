/** Work in parts: a generator gives way after each, and returns the result. */
export type Steps<Result> = Generator<void, Result, void>;

/** Most bytes or characters of one part: a few milliseconds of any step of a tokenizer. */
export const PART = 1 << 15;

/** Does all parts at once. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
