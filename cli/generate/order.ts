import { TandemError } from '../../common';
import { EXIT, exitCodeOf, isCancellation } from '../failure';
import type { Input, Item } from './inputs';
import type { Printer } from './printer';
import type { RunEvent } from './runs';

/**
 * Prints events in the order of the lines, whatever order they come in. Events of an input wait until every earlier line is
 * finished. An error that every input would meet, such as a wrong option, ends the whole.
 *
 * @param events their `index` is the place among the items of kind `input`
 * @returns errors of the lines that failed
 */
export async function printInOrder(
  items: readonly Item[],
  events: AsyncIterable<RunEvent>,
  printer: Printer,
): Promise<readonly unknown[]> {
  const inputs = items.filter((item) => item.kind === 'input');
  const waiting = new Map<Input, RunEvent[]>(inputs.map((input) => [input, []]));
  const errors: unknown[] = [];
  let next = 0;
  let begun = false;
  const fail = (item: Parameters<Printer['failed']>[0], error: unknown) => {
    if (isCancellation(error) || exitCodeOf(error) === EXIT.usage) throw error;
    errors.push(error);
    printer.failed(item, error);
  };
  /** Prints the events of an input that have come. True when the input is finished. */
  const print = (input: Input): boolean => {
    if (!begun) printer.begin(input);
    begun = true;
    for (const event of waiting.get(input)?.splice(0) ?? []) {
      if (event.kind === 'token') printer.token(event);
      else {
        begun = false;
        if (event.kind === 'failed') fail(input, event.error);
        else printer.done(input, event.outcome);
        return true;
      }
    }
    return false;
  };
  /** Prints lines up to the first that is not finished. */
  const advance = () => {
    for (; next < items.length; next++) {
      const item = items[next];
      if (item.kind === 'blank') printer.blank();
      else if (item.kind === 'broken') fail(item, item.error);
      else if (!print(item)) return;
    }
  };
  try {
    advance();
    for await (const event of events) {
      waiting.get(inputs[event.index])?.push(event);
      advance();
    }
  } catch (error) {
    printer.interrupted();
    throw error;
  }
  if (next < items.length) throw new TandemError('argument-invalid', `expected ${items.length} lines, found ${next}`);
  return errors;
}
