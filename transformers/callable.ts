/**
 * Base of classes whose instances are functions too: `tokenizer(text)`, `criterion(ids)`. A call runs `_call`, which a subclass
 * may replace.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the constructor returns a function, which the interface below declares
export abstract class Callable<Arguments extends unknown[], Value> {
  constructor() {
    const self = (...args: Arguments): Value => (self as unknown as this)._call(...args);
    // biome-ignore lint/correctness/noConstructorReturn: only a function can be called, so the instance is one
    return Object.setPrototypeOf(self, new.target.prototype);
  }

  abstract _call(...args: Arguments): Value;
}

export interface Callable<Arguments extends unknown[], Value> {
  (...args: Arguments): Value;
  /** Of the function: 0, as it takes any number of arguments. */
  readonly length: number;
}
