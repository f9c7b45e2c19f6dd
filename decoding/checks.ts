import { checkOptions, invalid, type OptionTable, TandemError } from '../common';
import { DecodingError } from './errors';
import { NOT_FOLLOWED } from './processing-refused';

/** As `checkOptions`, with this room's error. */
export function checkTable(settings: object, table: OptionTable, where: string): void {
  try {
    checkOptions(settings, table, where, NOT_FOLLOWED);
  } catch (error) {
    if (error instanceof TandemError) throw new DecodingError('option-invalid', error.message);
    throw error;
  }
}

export function badSetting(name: string, expected: string, found: unknown): DecodingError {
  return new DecodingError('option-invalid', invalid(name, expected, found).message);
}
