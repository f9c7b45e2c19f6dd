import { quoted, TandemError } from '../../common';
import { LOAD_OPTIONS } from '../options';
import { SOURCES } from './open';

/** Refuses what can be no model. Options in its place are a likely mistake. */
export function checkModel(model: unknown): void {
  if (model === undefined || (typeof model === 'string' && model !== '')) return;
  const expected = `load: expected a model (${SOURCES}), or undefined for the bundled pair`;
  if (typeof model !== 'object' || model === null) {
    throw new TandemError('argument-invalid', `${expected}, found ${quoted(model)}`);
  }
  const names = Object.keys(model);
  if (Object.getPrototypeOf(model) !== Object.prototype || names.some((name) => !Object.hasOwn(LOAD_OPTIONS, name)))
    return;
  const found = names.length === 0 ? 'an empty object' : `an object with ${names.join(', ')}`;
  throw new TandemError(
    'argument-invalid',
    `${expected}, found ${found}; options are the second argument: Tandem.load(undefined, { … })`,
  );
}
