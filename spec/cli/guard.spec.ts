import { EXIT } from '../../cli/failure';
import { guarded, type Patience } from '../../cli/guard';
import { TandemError } from '../../common';
import { type Screen, screen } from './screen';

const EVENTS = ['SIGINT', 'SIGTERM', 'uncaughtException', 'unhandledRejection'] as const;
const STREAMS = [process.stdout, process.stderr];
type Signal = 'SIGINT' | 'SIGTERM';

let shown: Screen;
let exits: unknown[];
let kills: unknown[][];
let undo: (() => void)[];

/** Keeps what this process would do for good: signals, exits, listeners. */
function arrange(terminal = false): void {
  shown = screen(terminal);
  exits = [];
  kills = [];
  const exit = jest.spyOn(process, 'exit').mockImplementation((code) => {
    exits.push(code);
    return undefined as never;
  });
  const kill = jest.spyOn(process, 'kill').mockImplementation((...call) => {
    kills.push(call);
    return true;
  });
  const before = Object.getOwnPropertyDescriptor(process, 'exitCode');
  Object.defineProperty(process, 'exitCode', { value: undefined, writable: true, configurable: true });
  const heard = EVENTS.map((event) => [event, process.listeners(event as Signal)] as const);
  const errors = STREAMS.map((stream) => stream.listeners('error'));
  undo = [
    () => shown.restore(),
    () => exit.mockRestore(),
    () => kill.mockRestore(),
    () => (before ? Object.defineProperty(process, 'exitCode', before) : Reflect.deleteProperty(process, 'exitCode')),
    ...heard.map(([event, listeners]) => () => {
      for (const one of process.listeners(event as Signal)) if (!listeners.includes(one)) process.off(event, one);
    }),
    ...STREAMS.map((stream, i) => () => {
      for (const one of stream.listeners('error') as (() => void)[])
        if (!errors[i].includes(one)) stream.off('error', one);
    }),
  ];
  jest.useFakeTimers();
}

afterEach(() => {
  for (const one of undo) one();
  jest.useRealTimers();
});

const heard = () => process.listenerCount('SIGINT') + process.listenerCount('SIGTERM');
const text = () => shown.written.join('');
const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));

describe.each<[Signal, number]>([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])('%s', (signal, code) => {
  it.each([false, true])(
    'cancels the command once, ends it with its code, and shows the cursor of a terminal (%s)',
    async (terminal) => {
      arrange(terminal);
      const before = heard();
      const run = guarded(async (heardAbort) => {
        await untilAborted(heardAbort);
        throw new Error('stopped on the way');
      });
      expect(heard()).toBe(before + 2);
      process.emit(signal, signal);
      expect(heard()).toBe(before); // a second signal has its default effect
      await run;
      expect([process.exitCode, text()]).toEqual([code, `${terminal ? '\u001b[?25h' : ''}tandem: cancelled\n`]);
      expect([heard(), exits]).toEqual([before, []]);
    },
  );

  it('leaves the code of a command that ends well', async () => {
    arrange();
    const run = guarded((heardAbort) => untilAborted(heardAbort));
    process.emit(signal, signal);
    await run;
    expect([process.exitCode, text()]).toEqual([undefined, '']);
  });

  it.each([
    [undefined, 2000],
    [35_000, 35_000],
  ])('that is not heard: %s ms of patience', async (asked, expected) => {
    arrange();
    let end: () => void = () => undefined;
    const run = guarded(async (_signal, patience: Patience) => {
      if (asked !== undefined) patience(asked);
      await new Promise<void>((resolve) => {
        end = resolve;
      });
    });
    process.emit(signal, signal);
    jest.advanceTimersByTime(expected - 1);
    expect(kills).toEqual([]);
    jest.advanceTimersByTime(1);
    // SIGINT is pressed again by whoever waits; SIGTERM comes from a program that sends it once.
    expect(kills).toEqual(signal === 'SIGTERM' ? [[process.pid, signal]] : []);
    end();
    await run;
  });
});

describe('an error', () => {
  it.each([
    [new TandemError('option-invalid', 'a wrong flag'), EXIT.usage],
    [new TandemError('io-failed', 'a full disk'), EXIT.failed],
    [new Error('a full disk'), EXIT.failed],
  ])('of the command is one line and a code (%s)', async (error, code) => {
    arrange();
    const before = heard();
    await guarded(() => Promise.reject(error));
    expect([process.exitCode, text(), heard()]).toEqual([code, `tandem: ${error.message}\n`, before]);
  });

  it.each(['uncaughtException', 'unhandledRejection'] as const)('that is an %s ends the process', async (event) => {
    arrange();
    await guarded(async () => {
      process.emit(event as 'uncaughtException', new Error('nobody\u001b[2J'));
    });
    expect([exits, text()]).toEqual([[EXIT.failed], 'tandem: nobody\\x1b[2J\n']);
  });

  it.each([
    ['EPIPE', 0, ''],
    ['EIO', EXIT.failed, 'tandem: write failed\n'],
  ])('of a stream (%s) ends the process', async (code, expected, printed) => {
    for (const stream of STREAMS) {
      arrange();
      await guarded(async () => {
        stream.emit('error', Object.assign(new Error('write failed'), { code }));
      });
      expect([exits, text()]).toEqual([[expected], printed]);
      for (const one of undo.splice(0)) one();
      jest.useRealTimers();
    }
  });
});
