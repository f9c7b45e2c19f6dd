export { cacheFolder } from './cache-folder.node';
export { ASYNC_DISPOSE } from './dispose';
export { type ErrorCode, INPUT_ERRORS, TandemError } from './errors';
export { fileKind } from './file-kind';
export { Inbox } from './inbox';
export { parseShallowJson, quotedJson } from './json';
export {
  abortSignal,
  anyOf,
  callable,
  checkOptions,
  flagged,
  invalid,
  listOf,
  notFollowed,
  nothing,
  number,
  type OptionEntry,
  type OptionRule,
  type OptionTable,
  objectWith,
  oneOf,
  text,
  whole,
} from './options';
export {
  packQ4,
  Q4_BLOCK_BYTES,
  Q4_BYTES,
  type Q4Rows,
  q4Code,
  q4RowBytes,
  q4Values,
  unpackQ4,
} from './q4';
export { packQ8, Q8_BLOCK, type Q8Rows, q8Blocks, q8RowBytes, q8Values, unpackQ8 } from './q8';
export { counted, nearest, printable, quoted, shortened } from './text';
export { Turns } from './turns.node';
