/**
 * The control block at the start of the linear memory, and how threads share a job.
 *
 * A job is an operation, its parameters and a number of chunks. At the start of a job each thread gets a range of chunks: its
 * ticket. A thread takes chunks from the front of its own range, in order, so that the memory it prefetches is what it will
 * need. A thread that has finished its range takes chunks from the back of the ranges of the others.
 *
 * Chunks are taken by compare-and-swap on the ticket. The ticket also holds the number of the job (its generation), so a
 * thread that wakes up late cannot take a chunk of a job that it has not read. The result never depends on which thread
 * computed a chunk.
 */
import { Address, Serve } from '../layout';
import { isDotInSteps } from './level';

// A ticket holds the generation (24 bits), the first chunk that is left (20 bits), and the end of the range (20 bits).
// @ts-ignore: decorator
@inline
const FIRST: u64 = 1 << 20;
// @ts-ignore: decorator
@inline
const MASK: u64 = (1 << 20) - 1;

/** How often the first thread polls before it sleeps. That is longer than a chunk takes, unless its thread was interrupted. */
// @ts-ignore: decorator
@inline
const POLLS_BEFORE_SLEEP: i32 = 10_000;
/** Nanoseconds that the first thread sleeps before it looks again. */
// @ts-ignore: decorator
@inline
const SLEEP_NANOSECONDS: i64 = 1_000_000;

/** How often a helping thread without work polls before it sleeps: some hundred microseconds. */
// @ts-ignore: decorator
@inline
const IDLE_POLLS: i32 = 150_000;

/** Polls that one look into another memory counts for. */
// @ts-ignore: decorator
@inline
const POLLS_PER_LOOK: i32 = 50;

let thread: usize = 0;
let threads: usize = 1;
let mayBlock: bool = false;
let idle: i32 = 0;
/** The chunk that this thread computes now, −1 for none. */
let currentChunk: i32 = -1;
/** The generation at the last look, and at the look before that. */
let lastGeneration: i32 = 0;
let generationBefore: i32 = 0;

/** Parameter word `i` of the running job. */
// @ts-ignore: decorator
@inline
export function word(i: usize): u32 {
  return load<u32>(<usize>Address.parameters + (i << 2));
}

/** Parameter word `i` as a float32. */
// @ts-ignore: decorator
@inline
export function float(i: usize): f32 {
  return load<f32>(<usize>Address.parameters + (i << 2));
}

/** Address of parameter word `i`. */
// @ts-ignore: decorator
@inline
export function parameterAddress(i: usize): usize {
  return <usize>Address.parameters + (i << 2);
}

/** Address of the scratch memory of this thread. */
// @ts-ignore: decorator
@inline
export function scratch(): usize {
  return <usize>load<u32>(Address.scratch) + thread * <usize>load<u32>(Address.scratchStride);
}

// @ts-ignore: decorator
@inline
function ticketOf(index: usize): usize {
  return <usize>Address.tickets + (index << 6);
}

/** Says which of `count` threads this instance belongs to. Thread 0 starts the jobs. The main thread of a page may not block. */
export function setThread(index: i32, count: i32, blocks: bool): void {
  mayBlock = blocks;
  v128.store(Address.upperHalves, i32x4.splat(0xffff0000));
  v128.store(Address.ones, i16x8.splat(1));
  store<i32>(Address.dotInSteps, isDotInSteps() ? 1 : 0);
  threads = count;
  thread = index;
}

/** Takes one chunk of the current job, from the own range first; −1 when none is left. */
function take(): i32 {
  const address = ticketOf(thread);
  let ticket = atomic.load<u64>(address);
  while (((ticket >> 20) & MASK) < (ticket & MASK)) {
    const found = atomic.cmpxchg<u64>(address, ticket, ticket + FIRST);
    if (found == ticket) return <i32>((ticket >> 20) & MASK);
    ticket = found;
  }
  for (let i: usize = 1; i < threads; i++) {
    const chunk = takeFrom(ticketOf((thread + i) % threads));
    if (chunk >= 0) return chunk;
  }
  return -1;
}

/** Takes the last chunk of another thread's range; −1 when none is left there. */
function takeFrom(address: usize): i32 {
  let ticket = atomic.load<u64>(address);
  while (((ticket >> 20) & MASK) < (ticket & MASK)) {
    const found = atomic.cmpxchg<u64>(address, ticket, ticket - 1);
    if (found == ticket) return <i32>(ticket & MASK) - 1;
    ticket = found;
  }
  return -1;
}

/** Runs a job to its end. With `shared`, the helping threads take part. */
export function share(execute: (operation: i32, chunk: i32) => void, operation: i32, chunks: i32, shared: bool): void {
  if (!shared || chunks < 2) {
    for (let chunk = 0; chunk < chunks; chunk++) execute(operation, chunk);
    return;
  }
  store<i32>(Address.operation, operation);
  atomic.store<i32>(Address.chunksDone, 0);
  const generation = atomic.load<i32>(Address.generation) + 1;
  for (let i: usize = 0; i < threads; i++) {
    const first = (<u64>chunks * i) / threads;
    const end = (<u64>chunks * (i + 1)) / threads;
    atomic.store<u64>(ticketOf(i), (<u64>generation << 40) | (first << 20) | end);
  }
  atomic.store<i32>(Address.currentBank, 0);
  atomic.store<i32>(Address.generation, generation);
  if (atomic.load<i32>(Address.sleepers) != 0) atomic.notify(Address.generation, i32.MAX_VALUE);
  help(execute);
  finish(execute, operation, chunks);
}

/**
 * Waits for the chunks that other threads have taken. On a busy machine those threads need the processor more than a polling
 * thread does, so the wait ends in sleep. A chunk that a failed thread returned is computed here, where an error reaches the
 * caller.
 */
function finish(execute: (operation: i32, chunk: i32) => void, operation: i32, chunks: i32): void {
  let polls = 0;
  for (let done = atomic.load<i32>(Address.chunksDone); done != chunks; done = atomic.load<i32>(Address.chunksDone)) {
    const returned = atomic.load<i32>(Address.returnedChunk);
    if (returned != 0) {
      atomic.store<i32>(Address.returnedChunk, 0);
      execute(operation, returned - 1);
      atomic.add<i32>(Address.chunksDone, 1);
      continue;
    }
    if (!mayBlock || ++polls < POLLS_BEFORE_SLEEP >> (load<i32>(Address.spinShift) >> 1)) continue;
    atomic.store<i32>(Address.firstThreadSleeps, 1);
    atomic.wait<i32>(Address.chunksDone, done, SLEEP_NANOSECONDS);
    atomic.store<i32>(Address.firstThreadSleeps, 0);
  }
}

/** Computes chunks of the current job while there are any. Returns whether there was one. */
export function help(execute: (operation: i32, chunk: i32) => void): bool {
  let some = false;
  for (let chunk = take(); chunk >= 0; chunk = take()) {
    currentChunk = chunk;
    execute(load<i32>(Address.operation), chunk);
    currentChunk = -1;
    atomic.add<i32>(Address.chunksDone, 1);
    if (atomic.load<i32>(Address.firstThreadSleeps) != 0) atomic.notify(Address.chunksDone, 1);
    some = true;
  }
  return some;
}

/**
 * Returns the chunk that a helping thread was computing when it failed, so that the first thread computes it. Waits while
 * another failed thread has a chunk to return.
 */
export function returnChunk(): void {
  if (currentChunk < 0) return;
  atomic.add<i32>(Address.failures, 1);
  while (atomic.cmpxchg<i32>(Address.returnedChunk, 0, currentChunk + 1) != 0) {}
  currentChunk = -1;
}

/**
 * What a helping thread does in the first memory: it helps with jobs, polls for the next one, and sleeps when none comes. It
 * returns the number of another memory when the latest job is there, `Serve.needsMemory` when there are more memories than
 * the `known`, and `Serve.end` when it is to end.
 */
export function serveWith(execute: (operation: i32, chunk: i32) => void, known: i32): i32 {
  while (atomic.load<i32>(Address.stop) == 0) {
    if (atomic.load<i32>(Address.bankCount) > known) return Serve.needsMemory;
    generationBefore = lastGeneration;
    lastGeneration = atomic.load<i32>(Address.generation);
    const bank = atomic.load<i32>(Address.currentBank);
    if (help(execute)) {
      idle = 0;
    } else if (idle <= IDLE_POLLS >> load<i32>(Address.spinShift)) {
      idle += bank == 0 ? 1 : POLLS_PER_LOOK;
      if (bank >= known) return Serve.needsMemory; // it was created after the check above
      if (bank != 0) return bank;
    } else {
      // The last look into another memory came before the latest generation was read, so an older one is waited on.
      sleep(bank == 0 ? lastGeneration : generationBefore);
      idle = 0;
    }
  }
  return Serve.end;
}

function sleep(generation: i32): void {
  atomic.add<i32>(Address.sleepers, 1);
  if (atomic.load<i32>(Address.stop) == 0) atomic.wait<i32>(Address.generation, generation, -1);
  atomic.sub<i32>(Address.sleepers, 1);
}

/** Says that this thread found work in another memory, so that it does not count as idle. */
export function notIdle(): void {
  idle = 0;
}

/** Says that the next job is in memory `bank`. */
export function callThreads(bank: i32): void {
  atomic.store<i32>(Address.currentBank, bank);
  wakeAll();
}

/** Says how many memories there are. */
export function setBankCount(banks: i32): void {
  atomic.store<i32>(Address.bankCount, banks);
  wakeAll();
}

/** Tells the helping threads to end. */
export function stopThreads(): void {
  atomic.store<i32>(Address.stop, 1);
  wakeAll();
}

function wakeAll(): void {
  atomic.add<i32>(Address.generation, 1);
  if (atomic.load<i32>(Address.sleepers) != 0) atomic.notify(Address.generation, i32.MAX_VALUE);
}
