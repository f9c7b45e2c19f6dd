import { WeightsError } from './errors';

/** @throws WeightsError `io-failed` when a range does not lie inside a source of `size` bytes */
export function checkRange(name: string, size: number, offset: number, length: number): void {
  if (Number.isSafeInteger(offset + length) && offset >= 0 && length >= 0 && offset + length <= size) return;
  const found = `${offset} to ${offset + length}`;
  throw new WeightsError('io-failed', `${name}: expected a range inside ${size} bytes, found ${found}`);
}
