import fc from 'fast-check';
import type { Input, Item } from '../../../cli/generate/inputs';
import { printInOrder } from '../../../cli/generate/order';
import type { Printer } from '../../../cli/generate/printer';
import type { RunEvent } from '../../../cli/generate/runs';
import { TandemError } from '../../../common';

/** What a line is, and for an input how many tokens it has and whether it fails after them. */
type Plan = 'blank' | 'broken' | { readonly tokens: number; readonly fails: boolean };

const plans = fc.array(
  fc.oneof(
    fc.constantFrom<Plan>('blank', 'broken'),
    fc.record({ tokens: fc.integer({ min: 0, max: 4 }), fails: fc.boolean() }),
  ),
  { maxLength: 8 },
);

function itemsOf(lines: readonly Plan[]): Item[] {
  let index = 0;
  return lines.map((plan, i): Item => {
    const line = i + 1;
    if (plan === 'blank') return { kind: 'blank', line };
    if (plan === 'broken') return { kind: 'broken', index: index++, line, error: new Error('broken') as never };
    return { kind: 'input', index: index++, line, source: `text ${line}` };
  });
}

function tokenEvent(index: number, token: number): RunEvent {
  const place = { sequence: 0, round: 0, position: token };
  return { kind: 'token', index, token, text: 'x', origin: 'target', rejected: null, ...place };
}

/** Events of every input in its own order, and the inputs mixed as `picks` say. */
async function* mixed(lines: readonly Plan[], picks: readonly number[]): AsyncGenerator<RunEvent> {
  const queues = lines
    .filter((plan) => typeof plan === 'object')
    .map(({ tokens, fails }, index): RunEvent[] => [
      ...Array.from({ length: tokens }, (_, t) => tokenEvent(index, t)),
      fails ? { kind: 'failed', index, error: new Error('failed') } : { kind: 'done', index, outcome: {} as never },
    ]);
  for (let i = 0; queues.some((queue) => queue.length > 0); i++) {
    const open = queues.filter((queue) => queue.length > 0);
    yield open[(picks[i % picks.length] ?? 0) % open.length].shift() as RunEvent;
  }
}

function recorder(): { printer: Printer; calls: string[] } {
  const calls: string[] = [];
  const name = (item: { line: number }) => `${item.line}`;
  const printer: Printer = {
    begin: (input) => calls.push(`begin ${name(input)}`),
    token: ({ token }) => calls.push(`token ${token}`),
    done: (input: Input) => calls.push(`done ${name(input)}`),
    failed: (item, error) => calls.push(`failed ${name(item)} ${(error as Error).message}`),
    blank: () => calls.push('blank'),
    interrupted: () => calls.push('interrupted'),
    close: () => calls.push('close'),
  };
  return { printer, calls };
}

describe('printing in the order of the lines', () => {
  it('prints every line once, with its tokens, in order, however the events are mixed', async () => {
    const picks = fc.array(fc.nat(7), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(plans, picks, async (lines, choice) => {
        const { printer, calls } = recorder();
        const errors = await printInOrder(itemsOf(lines), mixed(lines, choice), printer);
        const expected = lines.flatMap((plan, i) => {
          if (plan === 'blank') return ['blank'];
          if (plan === 'broken') return [`failed ${i + 1} broken`];
          const tokens = Array.from({ length: plan.tokens }, (_, t) => `token ${t}`);
          return [`begin ${i + 1}`, ...tokens, plan.fails ? `failed ${i + 1} failed` : `done ${i + 1}`];
        });
        expect(calls).toEqual(expected);
        expect(errors).toHaveLength(calls.filter((call) => call.startsWith('failed')).length);
      }),
    );
  });

  it('prints a token before the next event is asked for, when its line is the next to print', async () => {
    const { printer, calls } = recorder();
    const lines: Plan[] = [{ tokens: 3, fails: false }, 'blank'];
    async function* watched(): AsyncGenerator<RunEvent> {
      let seen = 1; // `begin` is printed before anything has come
      for await (const event of mixed(lines, [0])) {
        expect(calls).toHaveLength(seen++);
        yield event;
      }
    }
    await printInOrder(itemsOf(lines), watched(), printer);
    expect(calls.at(-1)).toBe('blank');
  });

  it('ends a line that was begun when the whole is cancelled, and hands the error on', async () => {
    const { printer, calls } = recorder();
    const cancelled = new TandemError('aborted', 'cancelled');
    async function* events(): AsyncGenerator<RunEvent> {
      yield tokenEvent(0, 0);
      throw cancelled;
    }
    await expect(printInOrder(itemsOf([{ tokens: 2, fails: false }]), events(), printer)).rejects.toBe(cancelled);
    expect(calls).toEqual(['begin 1', 'token 0', 'interrupted']);
  });

  it('ends the whole at an error of the options, which every input would meet', async () => {
    const { printer } = recorder();
    const wrong = new TandemError('option-invalid', 'topK: …');
    async function* events(): AsyncGenerator<RunEvent> {
      yield { kind: 'failed', index: 0, error: wrong };
      throw new Error('never asked for');
    }
    const lines: Plan[] = [
      { tokens: 1, fails: true },
      { tokens: 1, fails: true },
    ];
    await expect(printInOrder(itemsOf(lines), events(), printer)).rejects.toBe(wrong);
  });

  it('refuses events that leave a line unfinished', async () => {
    async function* none(): AsyncGenerator<RunEvent> {}
    const items = itemsOf([{ tokens: 1, fails: false }]);
    await expect(printInOrder(items, none(), recorder().printer)).rejects.toThrow(/expected 1 lines, found 0/);
  });
});
