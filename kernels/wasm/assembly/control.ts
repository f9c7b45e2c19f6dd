/**
 * The control block at the foot of the linear memory, and how threads share one job.
 *
 * A job is an operation, its parameters and a number of chunks. Each thread has a run of chunks to take from the front,
 * so that what it asks memory for early is what it will use; one that is done takes from the back of the others' runs.
 * Both by compare-and-swap on a ticket that holds the job's generation beside the run, so that a thread that wakes late
 * takes no part in a job that it has not read. Which thread computes a chunk never shows in the result.
 */

/** One ticket a thread, each on a cache line: generation (24 bits) | first chunk left (20) | end (20). */
// @ts-ignore: decorator
@inline
const TICKETS: usize = 4096;
// @ts-ignore: decorator
@inline
const FIRST: u64 = 1 << 20;
// @ts-ignore: decorator
@inline
const MASK: u64 = (1 << 20) - 1;
/** Chunks completed. */
// @ts-ignore: decorator
@inline
const DONE: usize = 320;
/** Generation of the latest job: what sleeping threads wait on. */
// @ts-ignore: decorator
@inline
const GENERATION: usize = 384;
// @ts-ignore: decorator
@inline
const SLEEPERS: usize = 448;
// @ts-ignore: decorator
@inline
const STOP: usize = 512;
/** Address and stride of the threads' scratch memory. */
// @ts-ignore: decorator
@inline
const SCRATCH: usize = 576;
/** Operation of the latest job, then its parameters (see each operation). */
// @ts-ignore: decorator
@inline
const JOB: usize = 1024;
// @ts-ignore: decorator
@inline
const PARAMETERS: usize = 1032;

/** Sixteen bytes: the mask of each lane's upper half. */
// @ts-ignore: decorator
@inline
export const UPPER_HALVES: usize = 640;

/** Memories that there are, and the one whose control block holds the latest job: both kept in the first memory. */
// @ts-ignore: decorator
@inline
const BANKS: usize = 768;
// @ts-ignore: decorator
@inline
const BANK: usize = 832;

/** One more than a chunk that a helping thread took and could not compute; 0 for none. */
// @ts-ignore: decorator
@inline
const LOST: usize = 896;
/** Helping threads that have failed in the middle of a job. */
// @ts-ignore: decorator
@inline
const FAILURES: usize = 900;

/** Whether the first thread sleeps until the last chunk is done. */
// @ts-ignore: decorator
@inline
const WAITING: usize = 704;

/** Polls of the first thread before it sleeps: longer than a chunk takes, unless the thread that has it was interrupted. */
// @ts-ignore: decorator
@inline
const PATIENCE: i32 = 10_000;
/** Nanoseconds of one such sleep. */
// @ts-ignore: decorator
@inline
const NAP: i64 = 1_000_000;

/** Polls before a thread without work goes to sleep: some hundred microseconds. */
// @ts-ignore: decorator
@inline
const SPINS: i32 = 150_000;

let thread: usize = 0;
let threads: usize = 1;
let mayBlock: bool = false;
let idle: i32 = 0;
/** The chunk being computed, −1 for none. */
let held: i32 = -1;
/** Generations at the last two looks. */
let seen: i32 = 0;
let before: i32 = 0;

/** Parameter word `i` of the running job. */
// @ts-ignore: decorator
@inline
export function word(i: usize): u32 {
  return load<u32>(PARAMETERS + (i << 2));
}

// @ts-ignore: decorator
@inline
export function single(i: usize): f32 {
  return load<f32>(PARAMETERS + (i << 2));
}

/** This thread's own scratch memory. */
// @ts-ignore: decorator
@inline
export function scratch(): usize {
  return <usize>load<u32>(SCRATCH) + thread * <usize>load<u32>(SCRATCH, 4);
}

/** Names the thread that this instance belongs to, of `count`; 0 gives out the jobs. A page's main thread may not block. */
export function become(index: i32, count: i32, blocks: bool): void {
  mayBlock = blocks;
  v128.store(UPPER_HALVES, i32x4.splat(0xffff0000));
  threads = count;
  thread = index;
}

/** Takes one chunk of the job in progress, its own first; −1 when none is left. */
function take(): i32 {
  const own = TICKETS + (thread << 6);
  let ticket = atomic.load<u64>(own);
  while (((ticket >> 20) & MASK) < (ticket & MASK)) {
    const found = atomic.cmpxchg<u64>(own, ticket, ticket + FIRST);
    if (found == ticket) return <i32>((ticket >> 20) & MASK);
    ticket = found;
  }
  for (let i: usize = 1; i < threads; i++) {
    const chunk = takeFrom(TICKETS + (((thread + i) % threads) << 6));
    if (chunk >= 0) return chunk;
  }
  return -1;
}

/** Takes the last chunk of another thread's run. */
function takeFrom(address: usize): i32 {
  let ticket = atomic.load<u64>(address);
  while (((ticket >> 20) & MASK) < (ticket & MASK)) {
    const found = atomic.cmpxchg<u64>(address, ticket, ticket - 1);
    if (found == ticket) return <i32>(ticket & MASK) - 1;
    ticket = found;
  }
  return -1;
}

/** Runs one job to its end; `shared` asks the other threads to help. */
export function share(execute: (operation: i32, chunk: i32) => void, operation: i32, chunks: i32, shared: bool): void {
  if (!shared || chunks < 2) {
    for (let chunk = 0; chunk < chunks; chunk++) execute(operation, chunk);
    return;
  }
  store<i32>(JOB, operation);
  atomic.store<i32>(DONE, 0);
  const generation = atomic.load<i32>(GENERATION) + 1;
  for (let i: usize = 0; i < threads; i++) {
    const first = (<u64>chunks * i) / threads;
    const end = (<u64>chunks * (i + 1)) / threads;
    atomic.store<u64>(TICKETS + (i << 6), (<u64>generation << 40) | (first << 20) | end);
  }
  atomic.store<i32>(BANK, 0);
  atomic.store<i32>(GENERATION, generation);
  if (atomic.load<i32>(SLEEPERS) != 0) atomic.notify(GENERATION, i32.MAX_VALUE);
  help(execute);
  finish(execute, operation, chunks);
}

/**
 * Waits for the chunks that other threads have taken: on a busy machine those need the processor more than a poll does. What
 * such a thread had to give back is computed here, where an error reaches the caller.
 */
function finish(execute: (operation: i32, chunk: i32) => void, operation: i32, chunks: i32): void {
  let polls = 0;
  for (let done = atomic.load<i32>(DONE); done != chunks; done = atomic.load<i32>(DONE)) {
    const lost = atomic.load<i32>(LOST);
    if (lost != 0) {
      atomic.store<i32>(LOST, 0);
      execute(operation, lost - 1);
      atomic.add<i32>(DONE, 1);
      continue;
    }
    if (!mayBlock || ++polls < PATIENCE) continue;
    atomic.store<i32>(WAITING, 1);
    atomic.wait<i32>(DONE, done, NAP);
    atomic.store<i32>(WAITING, 0);
  }
}

/** Computes chunks of the job in progress while there are any; says whether there was one. */
function help(execute: (operation: i32, chunk: i32) => void): bool {
  let some = false;
  for (let chunk = take(); chunk >= 0; chunk = take()) {
    held = chunk;
    execute(load<i32>(JOB), chunk);
    held = -1;
    atomic.add<i32>(DONE, 1);
    if (atomic.load<i32>(WAITING) != 0) atomic.notify(DONE, 1);
    some = true;
  }
  return some;
}

/** After an error in a helping thread: gives the chunk back that it was computing. Other threads may have one to give back too. */
export function forfeit(): void {
  if (held < 0) return;
  atomic.add<i32>(FAILURES, 1);
  while (atomic.cmpxchg<i32>(LOST, 0, held + 1) != 0) {}
  held = -1;
}

/** What `serveWith` returns beside the number of a memory to help in. */
// @ts-ignore: decorator
@inline
const MORE: i32 = -1;
// @ts-ignore: decorator
@inline
const END: i32 = -2;

/** Polls that a look into another memory counts for. */
// @ts-ignore: decorator
@inline
const LOOK: i32 = 50;

/**
 * A helping thread's life in the first memory: help, spin, sleep. Returns when the latest job is in another memory
 * (its number), when there are more memories than the `known` (−1), and when told to end (−2).
 */
export function serveWith(execute: (operation: i32, chunk: i32) => void, known: i32): i32 {
  while (atomic.load<i32>(STOP) == 0) {
    if (atomic.load<i32>(BANKS) > known) return MORE;
    before = seen;
    seen = atomic.load<i32>(GENERATION);
    const bank = atomic.load<i32>(BANK);
    if (help(execute)) {
      idle = 0;
    } else if (idle <= SPINS) {
      idle += bank == 0 ? 1 : LOOK;
      if (bank >= known) return MORE; // opened since the look above
      if (bank != 0) return bank;
    } else {
      // What another memory held was looked at before the last generation was read.
      sleep(bank == 0 ? seen : before);
      idle = 0;
    }
  }
  return END;
}

function sleep(generation: i32): void {
  atomic.add<i32>(SLEEPERS, 1);
  if (atomic.load<i32>(STOP) == 0) atomic.wait<i32>(GENERATION, generation, -1);
  atomic.sub<i32>(SLEEPERS, 1);
}

/** Helps with the job of this memory, which is not the first, while there are chunks; counts as work done. */
export function assistWith(execute: (operation: i32, chunk: i32) => void): bool {
  return help(execute);
}

/** A thread that found work in another memory is not idle. */
export function busy(): void {
  idle = 0;
}

/** Says that the next job is in memory `bank`. */
export function ring(bank: i32): void {
  atomic.store<i32>(BANK, bank);
  wakeAll();
}

/** Says how many memories there are. */
export function announce(banks: i32): void {
  atomic.store<i32>(BANKS, banks);
  wakeAll();
}

/** Tells the helping threads to end. */
export function stop(): void {
  atomic.store<i32>(STOP, 1);
  wakeAll();
}

function wakeAll(): void {
  atomic.add<i32>(GENERATION, 1);
  if (atomic.load<i32>(SLEEPERS) != 0) atomic.notify(GENERATION, i32.MAX_VALUE);
}
