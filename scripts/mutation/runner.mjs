/** Runs specs in a copy of the tree up to the first one that fails. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { relative, resolve } from 'node:path';

/**
 * Longest time of one run of specs: of the processor, where the system tells it, so that a busy machine ends no mutant, which would
 * count as killed; and while waiting.
 */
const PATIENCE_SECONDS = { busy: 40, idle: 90, waiting: 900 };
/** A process that takes less than this of each second of the processor only waits. */
const IDLE_SHARE = 0.03;
/** A test that waits ends later than it does in CI: this process may be stopped meanwhile. */
const TEST_TIMEOUT_MS = 300_000;
/** Ticks of the clock in /proc in a second. */
const TICKS = 100;

/** Seconds that a process has had of the processor, all its threads together; null where the system does not tell. */
function busySeconds(pid) {
  try {
    // After the name, which ends with the last bracket, field 12 and 13 are the ticks of the program and of the system for it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return null;
  }
}

function startJest(copy, specs, { args, variables = {}, stdio }) {
  const own = resolve('node_modules/node/bin/node');
  const program = [resolve('node_modules/jest/bin/jest.js'), '-c', 'jest.mutate.config.js', '-w', '1', ...args];
  return spawn(existsSync(own) ? own : process.execPath, program, {
    cwd: copy,
    stdio,
    detached: true,
    env: { ...process.env, TANDEM_MUTATE_SPECS: specs.join(','), ...variables },
  });
}

/** Files of specs below some folders, without those that specs of mutants leave out. */
export function listSpecs(copy, specs) {
  const child = startJest(copy, specs, { args: ['--listTests', '--json'], stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (piece) => {
    text += piece;
  });
  const nameOf = (path) => relative(resolve(copy), path).replaceAll('\\', '/');
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => {
      if (code === 0) done(JSON.parse(text).map(nameOf).sort());
      else fail(new Error(`jest lists no specs of ${specs}`));
    });
  });
}

/**
 * Runs specs in the given order.
 *
 * @param seconds what they take of the processor without a mutant
 * @returns whether they did not end in time; whether one failed, and which one if it is known; seconds of the processor
 */
export function runSpecs(copy, specs, { args = [], seconds = 0 } = {}) {
  const outcome = resolve(copy, '../failed.txt');
  rmSync(outcome, { force: true });
  const order = ['--testSequencer', './scripts/mutation/sequencer.cjs', '--passWithNoTests', '--silent'];
  const patience = ['--testTimeout', String(TEST_TIMEOUT_MS)];
  const child = startJest(copy, specs, {
    args: ['--reporters', './scripts/mutation/first-failure.cjs', ...order, ...patience, ...args],
    variables: { TANDEM_MUTATE_OUTCOME: outcome },
    stdio: 'ignore',
  });
  const end = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // it has ended
    }
  };
  const stop = () => {
    end();
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
  return new Promise((done) => {
    // Seconds are counted while this process runs: those in which the machine has stopped both of them are none.
    let waited = 0;
    let [busy, idle] = [0, 0];
    let late = false;
    const timer = setInterval(() => {
      waited++;
      const before = busy;
      busy = busySeconds(child.pid) ?? Math.max(busy, waited / 4);
      idle = busy - before < IDLE_SHARE ? idle + 1 : 0;
      late = waited > PATIENCE_SECONDS.waiting || idle > PATIENCE_SECONDS.idle;
      late ||= busy > PATIENCE_SECONDS.busy + 4 * seconds;
      if (late) end();
    }, 1000);
    child.once('exit', (code) => {
      clearInterval(timer);
      for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, stop);
      end(); // what a spec has left behind
      const isNamed = !late && code !== 0 && existsSync(outcome);
      const name = isNamed ? relative(resolve(copy), readFileSync(outcome, 'utf8')).replaceAll('\\', '/') : null;
      done({ late, failed: code !== 0, name, seconds: busy });
    });
  });
}
