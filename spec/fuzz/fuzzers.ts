import { files } from './files';
import type { Fuzzer } from './law';
import { others } from './others';

/** One for every kind of bytes that come from outside. */
export const FUZZERS: readonly Fuzzer[] = [...files, ...others];
