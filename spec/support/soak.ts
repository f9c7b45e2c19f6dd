import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { GenerateOptions, Tandem } from '../../api';

/** One kind of call in the mix. Gives what the call found, as data that can be compared; `turn` changes how it ends. */
type SoakCall = (tandem: Tandem, turn: number) => Promise<unknown>;

const SOURCES = [
  'And God said unto Noah, Come thou and all thy house into the ark.',
  'The LORD is my shepherd; I shall not want.',
  'Blessed are the meek: for they shall inherit the earth.',
];
const SHORT: GenerateOptions = { maxNewTokens: 6 };

/** Sources of every kind of mixed calls; the turn chooses source and seed, so that a second pass repeats the first. */
export const SOAK_CALLS: Readonly<Record<string, SoakCall>> = {
  greedy: async (tandem, turn) => (await tandem.generate(SOURCES[turn % 3], SHORT)).ids,
  sampled: async (tandem, turn) =>
    (await tandem.generate(SOURCES[turn % 3], { ...SHORT, temperature: 1, seed: turn })).ids,
  coupled: async (tandem, turn) =>
    (await tandem.generate(SOURCES[turn % 3], { ...SHORT, temperature: 1, seed: turn, verification: 'coupled' })).ids,
  batch: async (tandem) => {
    const results = await tandem.generate(SOURCES, { ...SHORT, concurrency: 2 });
    return results.map((result) => ('ids' in result ? result.ids : result));
  },
  samples: async (tandem, turn) => {
    const options = { ...SHORT, temperature: 1, seed: turn, numReturnSequences: 3 };
    return (await tandem.generate(SOURCES[turn % 3], options)).sequences.map(({ ids }) => ids);
  },
  beams: async (tandem, turn) => (await tandem.generate(SOURCES[turn % 3], { ...SHORT, numBeams: 3 })).ids,
  compare: async (tandem, turn) => (await tandem.compare(SOURCES[turn % 3], SHORT)).equal,
  'stream that is left': async (tandem, turn) => {
    const stream = tandem.stream(SOURCES[turn % 3], { ...SHORT, minNewTokens: 6 });
    const pieces: number[] = [];
    for await (const event of stream) {
      if (event.kind === 'token') pieces.push(event.token);
      if (pieces.length > turn % 5) break;
    }
    return pieces.length;
  },
  'call that is aborted': async (tandem, turn) => {
    const controller = new AbortController();
    const { signal } = controller;
    setTimeout(() => controller.abort(), turn % 7);
    const ended = tandem.generate(SOURCES[turn % 3], { maxNewTokens: 60, minNewTokens: 59, temperature: 1, signal });
    return ended.then(
      () => 'whole or aborted',
      (error: { code?: string }) => (error.code === 'aborted' ? 'whole or aborted' : error),
    );
  },
  'call that is refused': (tandem) =>
    tandem.generate('', { ...SHORT, suppressTokens: [1e9] }).then(
      () => 'taken',
      (error: { code?: string }) => error.code,
    ),
};

/** Calls of each kind in a pass. */
const TURNS = 2;

/** What one pass over the mix found, as one text. */
export async function soakPass(tandem: Tandem): Promise<string> {
  const found: unknown[] = [];
  for (const [name, call] of Object.entries(SOAK_CALLS)) {
    for (let turn = 0; turn < TURNS; turn++) found.push([name, turn, await call(tandem, turn)]);
  }
  return JSON.stringify(found);
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that the process holds after a collection: JavaScript's heap and buffers, and all resident memory, WebAssembly's included. */
export function bytesHeld(): { readonly heap: number; readonly resident: number } {
  collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
}

/** What keeps the process alive once immediate work is done: how many timers, sockets, files and workers, by kind. */
async function handlesHeld(): Promise<Map<string, number>> {
  await new Promise((resolve) => setTimeout(resolve, 50)); // timers of the aborted calls
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (kind !== 'Immediate') counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

export interface Soak {
  /** Passes after the two that warm up. */
  readonly passes: number;
  /** Growth allowed of heap and of resident memory, in bytes. */
  readonly heapGrowth: number;
  readonly residentGrowth: number;
}

/** Runs the mix again and again: the same results in every pass, level memory, and no handle more than at the start. */
export async function soak(tandem: Tandem, { passes, heapGrowth, residentGrowth }: Soak): Promise<void> {
  const first = await soakPass(tandem);
  for (let i = 0; i < 1; i++) expect(await soakPass(tandem)).toBe(first);
  const [held, handles] = [bytesHeld(), await handlesHeld()];
  for (let i = 0; i < passes; i++) expect(await soakPass(tandem)).toBe(first);
  const more = [...(await handlesHeld())].filter(([kind, count]) => count > (handles.get(kind) ?? 0));
  expect(more).toEqual([]);
  const now = bytesHeld();
  expect(now.heap - held.heap).toBeLessThan(heapGrowth);
  expect(now.resident - held.resident).toBeLessThan(residentGrowth);
}

/** Ways to leave a call early, each after some tokens. */
const EXITS: Readonly<Record<string, (tandem: Tandem, turn: number) => Promise<unknown>>> = {
  break: async (tandem, turn) => {
    let left = turn % 4;
    for await (const _ of tandem.stream(SOURCES[turn % 3], LONG)) if (left-- === 0) break;
  },
  throw: async (tandem, turn) => {
    for await (const _ of tandem.stream(SOURCES[turn % 3], LONG)) throw new Error('expected');
  },
  'text is left': async (tandem, turn) => {
    for await (const _ of tandem.stream(SOURCES[turn % 3], LONG).text) break;
  },
  drop: async (tandem, turn) => tandem.stream(SOURCES[turn % 3], LONG).next(),
  abort: async (tandem, turn) => {
    const controller = new AbortController();
    const stream = tandem.stream(SOURCES[turn % 3], { ...LONG, signal: controller.signal });
    await stream.next();
    controller.abort(new Error('expected'));
    await stream.result;
  },
  'a processor fails': async (tandem, turn) => {
    let left = turn % 4;
    const fail = () => {
      if (left-- === 0) throw new Error('expected');
    };
    await tandem.generate(SOURCES[turn % 3], { ...LONG, processors: [fail] });
  },
};
const LONG: GenerateOptions = { minNewTokens: 30, maxNewTokens: 31 };

/** Leaves calls early, in every way in turn: memory stays level, and the next whole call gives what the first gave. */
export async function leaveEarly(tandem: Tandem, { exits, growth }: { exits: number; growth: number }): Promise<void> {
  const whole = async () => (await tandem.generate(SOURCES[0], LONG)).ids;
  const first = await whole();
  const ways = Object.entries(EXITS);
  const ends = new Map<string, number>();
  const leave = async (from: number, to: number) => {
    for (let turn = from; turn < to; turn++) {
      const [name, exit] = ways[turn % ways.length];
      const end = await exit(tandem, Math.floor(turn / ways.length)).then(
        () => 'left',
        ({ message, code }: Error & { code?: string }) => code ?? message,
      );
      ends.set(`${name}: ${end}`, (ends.get(`${name}: ${end}`) ?? 0) + 1);
      if (turn % 100 !== 99) continue;
      collectGarbage(); // finds what was only dropped
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const warm = Math.ceil(exits / 10);
  await leave(0, warm);
  const held = bytesHeld();
  await leave(warm, exits);
  const now = bytesHeld();
  expect(now.heap - held.heap).toBeLessThan(growth);
  expect(now.resident - held.resident).toBeLessThan(growth);
  expect(await whole()).toEqual(first);
  expect([...ends.keys()].sort()).toEqual([
    'a processor fails: expected',
    'abort: aborted',
    'break: left',
    'drop: left',
    'text is left: left',
    'throw: expected',
  ]);
}
