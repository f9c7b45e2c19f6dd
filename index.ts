/** Exact speculative decoding for T5: what a user of the library sees. */
export { VERSION } from './api';
