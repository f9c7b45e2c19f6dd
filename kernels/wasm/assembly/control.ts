/**
 * The control block at the foot of the linear memory, and how threads share one job.
 *
 * A job is an operation, its parameters and a number of chunks. Threads take chunks by compare-and-swap on a ticket that
 * holds the job's generation beside the chunks left, so that a thread that wakes late can never take part in a job that
 * it has not read. Which thread computes a chunk never shows in the result.
 */

/** [generation | chunks left], 64 bits. */
// @ts-ignore: decorator
@inline
const TICKET: usize = 256;
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
/** Operation and chunks of the latest job, then its parameters (see each operation). */
// @ts-ignore: decorator
@inline
const JOB: usize = 1024;
// @ts-ignore: decorator
@inline
const PARAMETERS: usize = 1032;

/** Polls before a thread without work goes to sleep: some hundred microseconds. */
// @ts-ignore: decorator
@inline
const SPINS: i32 = 150_000;

let thread: usize = 0;

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

/** Names the thread that this instance belongs to; 0 gives out the jobs. */
export function become(index: i32): void {
  thread = index;
}

/** Takes one chunk of the job in progress; −1 when none is left. */
function take(): i32 {
  let ticket = atomic.load<u64>(TICKET);
  while (<u32>ticket != 0) {
    const found = atomic.cmpxchg<u64>(TICKET, ticket, ticket - 1);
    if (found == ticket) return <i32>(<u32>ticket - 1);
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
  store<i32>(JOB, chunks, 4);
  atomic.store<i32>(DONE, 0);
  const generation = atomic.load<i32>(GENERATION) + 1;
  atomic.store<u64>(TICKET, ((<u64>generation) << 32) | <u64>chunks);
  atomic.store<i32>(GENERATION, generation);
  if (atomic.load<i32>(SLEEPERS) != 0) atomic.notify(GENERATION, i32.MAX_VALUE);
  help(execute);
  while (atomic.load<i32>(DONE) != chunks) {}
}

/** Computes chunks of the job in progress while there are any; says whether there was one. */
function help(execute: (operation: i32, chunk: i32) => void): bool {
  let some = false;
  for (let left = take(); left >= 0; left = take()) {
    const chunks = load<i32>(JOB, 4);
    execute(load<i32>(JOB), chunks - 1 - left);
    atomic.add<i32>(DONE, 1);
    some = true;
  }
  return some;
}

/** A helping thread's life: help, spin, sleep; ends when told to stop. */
export function serveWith(execute: (operation: i32, chunk: i32) => void): void {
  let idle = 0;
  while (atomic.load<i32>(STOP) == 0) {
    const seen = atomic.load<i32>(GENERATION);
    if (help(execute)) {
      idle = 0;
    } else if (++idle > SPINS) {
      atomic.add<i32>(SLEEPERS, 1);
      if (atomic.load<u64>(TICKET) << 32 == 0 && atomic.load<i32>(STOP) == 0) atomic.wait<i32>(GENERATION, seen, -1);
      atomic.sub<i32>(SLEEPERS, 1);
      idle = 0;
    }
  }
}

/** Tells the helping threads to end. */
export function stop(): void {
  atomic.store<i32>(STOP, 1);
  atomic.add<i32>(GENERATION, 1);
  atomic.notify(GENERATION, i32.MAX_VALUE);
}
