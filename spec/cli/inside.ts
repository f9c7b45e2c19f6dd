import { Readable } from 'node:stream';
import { Tandem } from '../../api';
import { type Patience, reportError } from '../../cli/guard';
import { runCommand } from '../../cli/program';
import type { Outcome } from './command';

export interface World {
  /** What standard input has. */
  readonly input?: string | Uint8Array;
  /** Whether standard output is a terminal. Standard error and standard input are none. */
  readonly terminal?: boolean;
  readonly signal?: AbortSignal;
  /** Hears how long a server may take to end after a signal. */
  readonly patience?: Patience;
  /** Variables of the environment that differ from those of this process. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
}

const COLOURS = { NO_COLOR: undefined, FORCE_COLOR: undefined, TERM: 'xterm' };

/**
 * Runs `tandem ARGS` inside this process: faster than a process of its own, and standard output can be a terminal. Signals, exit
 * codes of the process and closed pipes need a process; see command.ts.
 */
export async function inside(args: readonly string[], world: World = {}): Promise<Outcome> {
  const { input = '', terminal = false, signal = new AbortController().signal, patience, variables } = world;
  const printed = { stdout: '', stderr: '' };
  const catcher = (stream: 'stdout' | 'stderr') => (text: string) => {
    printed[stream] += text;
    return true;
  };
  const undo = [
    replace(process.stdout, 'write', catcher('stdout')),
    replace(process.stderr, 'write', catcher('stderr')),
    replace(process.stdout, 'isTTY', terminal),
    replace(process.stderr, 'isTTY', false),
    replace(process, 'stdin', Readable.from(input.length > 0 ? [Buffer.from(input)] : [])),
    replace(process, 'exitCode', undefined),
    replace(process, 'env', { ...process.env, ...COLOURS, ...variables }),
  ];
  try {
    let status = 0;
    try {
      await runCommand(args, signal, patience);
      status = Number(process.exitCode ?? 0);
    } catch (error) {
      status = reportError(error);
    }
    return { status, ...printed };
  } finally {
    for (const one of undo.reverse()) one();
  }
}

/**
 * Loads each pair of models once for all runs of a spec file, in place of once a run. The commands then do not free them; this
 * does, at the end.
 */
export function keepModels(): void {
  const kept = new Map<string, Promise<Tandem>>();
  const load = Tandem.load.bind(Tandem);
  beforeAll(() => {
    jest.spyOn(Tandem, 'load').mockImplementation((model, options) => {
      const key = JSON.stringify([model, options]); // without functions; a signal is written as {}
      const tandem = kept.get(key) ?? load(model, options).then(withoutDispose);
      kept.set(key, tandem);
      tandem.catch(() => kept.delete(key));
      return tandem;
    });
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    for (const tandem of kept.values()) await Tandem.prototype.dispose.call(await tandem);
  });
}

function withoutDispose(tandem: Tandem): Tandem {
  return Object.defineProperty(tandem, 'dispose', { value: async () => undefined });
}

/** Replaces a property. @returns what puts the old one back */
function replace(object: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(object, name);
  Object.defineProperty(object, name, { value, configurable: true, writable: true, enumerable: true });
  return () => {
    if (before) Object.defineProperty(object, name, before);
    else Reflect.deleteProperty(object, name);
  };
}

/** Runs a command that prints JSON, and succeeds without a word on standard error. */
// biome-ignore lint/suspicious/noExplicitAny: the records are what the specs look into
export async function records(args: readonly string[], world: World = {}): Promise<any[]> {
  const run = await inside([...args, '--json'], world);
  expect(run).toMatchObject({ status: 0, stderr: '' });
  return run.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}
