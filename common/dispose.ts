/**
 * The name of the method that `await using` calls. WebKitGTK 2.50 has no `Symbol.asyncDispose`: a class that uses it there gets a method called
 * "undefined". A program that adds the symbol before it loads Tandem gets that one; otherwise the registered symbol takes its place.
 */
export const ASYNC_DISPOSE: typeof Symbol.asyncDispose = (Symbol.asyncDispose ??
  Symbol.for('Symbol.asyncDispose')) as typeof Symbol.asyncDispose;
