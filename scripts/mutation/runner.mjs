/** Runs specs in a copy of the tree up to the first one that fails. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { relative, resolve } from 'node:path';

/** Longest time of one run of specs. Generous: a mutant that is ended by a busy machine would count as killed. */
const PATIENCE_SECONDS = 180;

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
 * @param seconds how long they take without a mutant
 * @returns the spec that failed, or none; null where they did not end in time
 */
export function runSpecs(copy, specs, { args = [], seconds = 0 } = {}) {
  const outcome = resolve(copy, '../failed.txt');
  rmSync(outcome, { force: true });
  const order = ['--testSequencer', './scripts/mutation/sequencer.cjs', '--passWithNoTests', '--silent'];
  const child = startJest(copy, specs, {
    args: ['--reporters', './scripts/mutation/first-failure.cjs', ...order, ...args],
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
    let left = Math.max(PATIENCE_SECONDS, 5 * seconds);
    const timer = setInterval(() => {
      left--;
      if (left <= 0) end();
    }, 1000);
    child.once('exit', (code) => {
      clearInterval(timer);
      for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, stop);
      end(); // what a spec has left behind
      if (left <= 0) return done(null);
      if (code === 0) return done([]);
      const failed = existsSync(outcome) ? [relative(resolve(copy), readFileSync(outcome, 'utf8'))] : [];
      return done(failed.map((name) => name.replaceAll('\\', '/')));
    });
  });
}
