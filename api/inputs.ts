import { quoted, TandemError } from '../common';
import type { Input } from './types';

/** Whether inputs are many. A list of numbers is one input of ids; an empty list is no inputs. */
export function isMany(input: Input | readonly Input[]): input is readonly Input[] {
  return Array.isArray(input) && typeof input[0] !== 'number';
}

/** As `checkInput`, and an input with a mask is accepted too. @throws TandemError `argument-invalid` */
export function checkSource(input: unknown, where: string): asserts input is Input {
  if (typeof input !== 'object' || input === null || !('ids' in input || 'mask' in input)) {
    checkInput(input, where);
    return;
  }
  const { ids, mask, ...rest } = input as { ids?: unknown; mask?: unknown };
  const [other] = Object.keys(rest);
  if (other !== undefined) throw noInput(where, '{ ids, mask }', `another member, ${quoted(other)}`);
  if (typeof ids === 'string') throw noInput(where, 'token ids beside a mask', 'text');
  checkInput(ids, `${where}: ids`);
  const list = mask instanceof Uint8Array ? Array.from(mask) : mask;
  if (!isIdList(list)) throw noInput(`${where}: mask`, 'a list of 0 and 1', quoted(mask));
  const { length } = ids as readonly number[];
  if (list.length !== length) throw noInput(`${where}: mask`, `${length} numbers, one an id`, `${list.length}`);
  const wrong = list.findIndex((one) => one !== 0 && one !== 1);
  if (wrong >= 0) throw noInput(`${where}: mask`, '0 or 1', `${quoted(list[wrong])} at place ${wrong}`);
}

function noInput(where: string, expected: string, found: string): TandemError {
  return new TandemError('argument-invalid', `${where}: expected ${expected}, found ${found}`);
}

/**
 * Refuses what is neither text nor ids. Whether the target has the ids, it says itself.
 *
 * @throws TandemError `argument-invalid`
 */
export function checkInput(input: unknown, where: string): asserts input is Input {
  if (typeof input === 'string') return;
  const wrong = isIdList(input) ? input.findIndex((id) => !Number.isSafeInteger(id)) : -1; // finds holes too
  if (isIdList(input) && wrong < 0) return;
  const found = isIdList(input) ? `${quoted(input[wrong])} at place ${wrong}` : quoted(input);
  throw new TandemError('argument-invalid', `${where}: expected text or a list of token ids, found ${found}`);
}

function isIdList(input: unknown): input is number[] {
  return Array.isArray(input) || input instanceof Int32Array || input instanceof Uint32Array;
}
