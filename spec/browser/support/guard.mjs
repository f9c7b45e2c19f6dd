/**
 * Runs one browser and cleans up after it: `node guard.mjs COMMAND FOLDER`. COMMAND is a `BrowserCommand` (browsers.ts) as JSON;
 * the profile is made in FOLDER.
 *
 * The browser runs until this program's standard input ends. A pipe also ends when the process at its other side is killed, so
 * neither a spec that fails nor a test runner that dies can leave a browser or its profile behind.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const { file, args, env, profileFiles, needsDisplay } = JSON.parse(process.argv[2]);
const STOP_MILLISECONDS = 3000;

const profile = mkdtempSync(join(process.argv[3], 'tandem-browser-'));
const temporary = join(profile, 'tmp');
let display = null;
let browser = null;
let isEnding = false;

/** Starts a virtual X server on the first free display, and returns its name. */
function startDisplay() {
  display = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    detached: true,
    env: { ...process.env, HOME: profile },
  });
  return new Promise((resolve, reject) => {
    display.once('error', (error) => reject(new Error(`Xvfb: ${error.message}`)));
    display.once('exit', () => reject(new Error('Xvfb ended before it had a display')));
    display.stdio[3].once('data', (number) => resolve(`:${String(number).trim()}`));
  });
}

/** Sends a signal to a child and to every process it started. */
function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}

const hasEnded = (child) =>
  child === null || child.pid === undefined || child.exitCode !== null || child.signalCode !== null;

function waitForEnd(child) {
  if (hasEnded(child)) return Promise.resolve();
  return Promise.race([
    new Promise((resolve) => child.once('exit', resolve)),
    new Promise((resolve) => setTimeout(resolve, STOP_MILLISECONDS)),
  ]);
}

/** Ends the browser, its display and its profile, then this program. */
async function end(status) {
  if (isEnding) return;
  isEnding = true;
  if (browser?.pid) signalGroup(browser, 'SIGKILL'); // even where it has ended: its helpers may be there yet
  await waitForEnd(browser);
  if (!hasEnded(display)) {
    signalGroup(display, 'SIGTERM'); // killed, it would leave its lock and its socket in /tmp
    await waitForEnd(display);
    if (!hasEnded(display)) signalGroup(display, 'SIGKILL');
  }
  rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  process.exit(status);
}

async function start() {
  mkdirSync(temporary);
  for (const [name, text] of Object.entries(profileFiles)) writeFileSync(join(profile, name), text);
  const folders = { HOME: profile, TMPDIR: temporary, XDG_RUNTIME_DIR: temporary };
  const noBus = { DBUS_SESSION_BUS_ADDRESS: 'disabled:' }; // nothing outside the group is asked to start anything
  const screen = needsDisplay ? { DISPLAY: await startDisplay() } : {};
  if (isEnding) return;
  browser = spawn(
    file,
    args.map((argument) => argument.replace('PROFILE', profile)),
    {
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
      cwd: profile,
      env: { ...process.env, ...folders, ...noBus, ...screen, ...env },
    },
  );
  browser.once('error', (error) => {
    console.error(`${file}: ${error.message}`);
    end(1);
  });
  browser.once('exit', (code, signal) => {
    if (isEnding) return;
    console.error(`${file} ended by itself: ${signal ?? `status ${code}`}`);
    end(1);
  });
}

process.stdin.on('error', () => end(0)).on('end', () => end(0));
process.stdin.resume();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => end(0));
start().catch((error) => {
  console.error(error.message);
  end(1);
});
